package starttls

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// A fedConn gives what a peer says by pieces, whatever our side says.
type fedConn struct {
	net.Conn
	in    []byte
	piece int
	taken int
}

func (c *fedConn) Read(b []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), c.piece)], c.in)
	c.in = c.in[n:]
	c.taken += n
	return n, nil
}

func (c *fedConn) Write(b []byte) (int, error) { return len(b), nil }

// A verdict says what has to be true of what a peer said when our side goes on with TLS, found out in another way than the
// protocol's own.
type verdict func(t *testing.T, d *dialogue, said []byte)

// fuzzSides has both sides of a protocol read anything: no panic, no read without bound, no TLS but behind the go-ahead.
func fuzzSides(f *testing.F, proto string, client, server verdict, seeds ...string) {
	p := protocolNamed(proto)
	for _, seed := range seeds {
		for _, piece := range []byte{0, 1, 255} {
			f.Add([]byte(seed), piece, true)
			f.Add([]byte(seed), piece, false)
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, piece byte, asClient bool) {
		conn := &fedConn{in: in, piece: int(piece) + 1}
		d := newDialogue(conn, proto)
		var err error
		check := client
		if asClient {
			err = p.client(d, ourClient)
		} else {
			terms := ourServer
			terms.plain, terms.direct = piece%2 == 0, piece%4 == 0
			err, check = p.server(d, terms), server
		}
		if err == nil && !d.direct {
			err = d.clean()
		}
		if conn.taken > maxDialogue+maxLine {
			t.Errorf("%d bytes were read", conn.taken)
		}
		var failed *Error
		switch {
		case err == nil:
			check(t, d, d.spoken)
		case !errors.As(err, &failed) || failed.Stage == "":
			t.Errorf("an error without a stage: %v", err)
		case strings.ContainsFunc(err.Error(), func(r rune) bool { return r < ' ' || r > '~' }): // ST-22
			t.Errorf("the error is not printable: %q", err)
		}
	})
}

func ends(with string) verdict {
	return func(t *testing.T, d *dialogue, said []byte) {
		if !d.direct && !bytes.HasSuffix(said, []byte(with)) {
			t.Errorf("TLS behind %q", said)
		}
	}
}

func FuzzBER(f *testing.F) {
	f.Add([]byte(ldapGoAhead))
	f.Add([]byte(ldapGoAheadAD))
	f.Add([]byte("\x30\x80\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := berAll(b)
		if err != nil {
			return
		}
		taken := 0
		for _, e := range all {
			taken += 2 + len(e.content)
			if len(e.content) > maxBER || e.tag&0x1f == 0x1f {
				t.Errorf("an element %#x of %d bytes", e.tag, len(e.content))
			}
			if n, err := e.number(); err == nil && n < 0 {
				t.Errorf("the number %d", n)
			}
		}
		if taken > len(b) {
			t.Errorf("%d bytes of elements in %d", taken, len(b))
		}
	})
}

func FuzzLDAP(f *testing.F) {
	goAhead := func(t *testing.T, _ *dialogue, said []byte) {
		id := bytes.Index(said, []byte("\x02\x01\x01\x78"))
		if id < 0 || !bytes.Contains(said[id:], []byte("\x0a\x01\x00\x04")) {
			t.Errorf("TLS behind %x", said)
		}
	}
	request := func(t *testing.T, _ *dialogue, said []byte) {
		if !bytes.Contains(said, []byte(ldapStartTLS)) {
			t.Errorf("TLS behind %x", said)
		}
	}
	fuzzSides(f, "ldap", goAhead, request, ldapGoAhead, ldapGoAheadAD, ldapRequestBytes,
		bytesOf("300c 020101 6007 020103 0400 8000")+ldapRequestBytes, bytesOf("3006 020102 500101")+ldapRequestBytes)
}

func FuzzPostgres(f *testing.F) {
	yes := func(t *testing.T, _ *dialogue, said []byte) {
		if string(said) != "S" {
			t.Errorf("TLS behind %q", said)
		}
	}
	fuzzSides(f, "postgres", yes, ends(sslRequest), "S", "N", "E\x00\x00", "SS", sslRequest, gssRequest+sslRequest, pgStartup, pgCancel, "\x16\x03\x01")
}

func FuzzMySQLGreeting(f *testing.F) {
	offer := func(t *testing.T, _ *dialogue, said []byte) {
		size := binary.LittleEndian.Uint32(said) // the length of three bytes, and the sequence number 0
		version := bytes.IndexByte(said[5:], 0)
		if int(size) != len(said)-4 || version < 0 || said[5+version+15]&(mysqlSSL>>8) == 0 {
			t.Errorf("TLS behind %x", said)
		}
	}
	request := func(t *testing.T, _ *dialogue, said []byte) {
		if len(said) != 36 || said[5]&(mysqlSSL>>8) == 0 {
			t.Errorf("TLS behind %x", said)
		}
	}
	fuzzSides(f, "mysql", offer, request, mysqlHello("8.0.36", 0), mysqlHello("5.5.5-10.11.6-MariaDB", 0), mysqlHello("8", mysqlSSL),
		mysqlPlain(0, "\xff\x6a\x04no"), mysqlAsk, mysqlAsk+"\x16\x03\x01")
}

func FuzzTelnet(f *testing.F) {
	fuzzSides(f, "telnet", ends(tnFollows), ends(tnFollows), tnDo+tnFollows, tnOther+tnDo+tnFollows, tnDont, "login: ",
		tnWill+tnFollows, tnOther+tnWill+tnOther+tnFollows, tnWont, bytesOf("fffa1801fff0"))
}

func FuzzXMPP(f *testing.F) {
	fuzzSides(f, "xmpp", xmlEndsWith("proceed"), xmlEndsWith("starttls"),
		xmppHello+xmppFeatures+xmppGo, xmppHello+xmppFeatures, xmppHello+"<stream:features/>", xmppOpen+xmppStart,
		xmppHello+"<stream:error><x xmlns='y'/></stream:error>", `<s:stream xmlns:s="http://etherx.jabber.org/streams" xmlns="jabber:client" version="1.0">`+xmppStart,
		"<?xml version='1.0' encoding='utf-8'?><a b='&lt;&#x20;'><c:d xmlns:c=\"x\">&amp;</c:d></a>")
}

// What our reader takes for tags, encoding/xml takes for the same ones.
func FuzzXMLStream(f *testing.F) {
	for _, seed := range []string{xmppHello + xmppFeatures + xmppGo, "<?xml version='1.0' encoding='utf-8'?>\n<a b='&lt;&#x20;'>\n<c:d xmlns:c=\"x\">&amp;</c:d></a>",
		"<a xmlns='x' xmlns:a='y'><a:a xmlns=''><a/></a:a ></a>", "<a b = '>' c=\"'\" />", "<a>]]></a>", "<\u00e9/>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d := newDialogue(&fedConn{in: in, piece: maxLine}, "xmpp")
		r := &xmlReader{d: d}
		var ours []string
		note := func(end bool, name xmlName) {
			ours = append(ours, fmt.Sprintf("%v %q %q", end, name.space, name.local))
		}
		for {
			tag, err := r.next()
			if err != nil {
				break
			}
			note(tag.end, tag.name)
			if tag.empty {
				note(true, tag.name)
			}
		}
		if len(ours) == 0 {
			return
		}
		decoder := xml.NewDecoder(bytes.NewReader(in))
		for i := 0; i < len(ours); {
			token, err := decoder.Token()
			if err != nil {
				t.Fatalf("encoding/xml has %v where we have %s in %q", err, ours[i], in)
			}
			theirs := ""
			switch token := token.(type) {
			case xml.StartElement:
				theirs = fmt.Sprintf("false %q %q", token.Name.Space, token.Name.Local)
			case xml.EndElement:
				theirs = fmt.Sprintf("true %q %q", token.Name.Space, token.Name.Local)
			default:
				continue
			}
			if ours[i] != theirs {
				t.Fatalf("encoding/xml has %s where we have %s in %q", theirs, ours[i], in)
			}
			i++
		}
	})
}

// xmlEndsWith has encoding/xml read the same: to it, too, the last thing is that element of TLS's namespace, in a stream.
func xmlEndsWith(local string) verdict {
	return func(t *testing.T, _ *dialogue, said []byte) {
		decoder := xml.NewDecoder(bytes.NewReader(said))
		var open []xml.Name
		for {
			token, err := decoder.Token()
			if err != nil {
				t.Fatalf("encoding/xml has %v for %q", err, said)
			}
			switch token := token.(type) {
			case xml.StartElement:
				open = append(open, token.Name)
			case xml.EndElement:
				open = open[:len(open)-1]
				if int(decoder.InputOffset()) < len(said) {
					continue
				}
				if token.Name != (xml.Name{Space: tlsSpace, Local: local}) || len(open) != 1 || open[0] != (xml.Name{Space: streamSpace, Local: "stream"}) {
					t.Errorf("TLS behind %q", said)
				}
				return
			}
		}
	}
}
