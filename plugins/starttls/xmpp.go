package starttls

import (
	"errors"
	"fmt"
	"strings"
)

// xmppClients is STARTTLS of XMPP between a client and its server, RFC 6120 section 5. The client names in the stream's
// header the domain that it wants, which is the host that the server's certificate has to be for (section 13.7.2).
//
// After TLS the stream is no more: the client sends a new header, the server too and new features (section 5.4.3.3).
//
// In the mode opportunistic the stream stays open. A client has sent its header, and reads the server's header and
// features; a server has sent its header and features, which have nothing but STARTTLS, and reads all that the client said,
// its header first.
func xmppClients() protocol {
	return xmpp{name: "xmpp", content: "jabber:client", alpn: "xmpp-client"}.protocol()
}

// xmppServers is the same between two servers. The one that connects says who it is, by clientName; as localhost it is
// nobody, and does not.
func xmppServers() protocol {
	return xmpp{name: "xmpp-server", content: "jabber:server", alpn: "xmpp-server", named: true}.protocol()
}

// xmpp is what the two have in common. The names for ALPN are XEP-0368's.
type xmpp struct {
	name, content, alpn string
	named               bool // who opens the stream says who it is
}

func (x xmpp) protocol() protocol {
	return protocol{name: x.name, alpn: x.alpn, needsHost: true, named: x.named, client: x.client, server: x.server}
}

// nobody is the clientName of who has none. Section 4.7.1 wants a name from a server, though not before TLS; one that is
// everybody's is refused by servers that go by it there too.
const nobody = "localhost"

// Namespaces of RFC 6120.
const (
	streamSpace = "http://etherx.jabber.org/streams"
	errorSpace  = "urn:ietf:params:xml:ns:xmpp-streams"
	tlsSpace    = "urn:ietf:params:xml:ns:xmpp-tls"
)

func (x xmpp) client(d *dialogue, t clientTerms) error {
	attrs := []string{"to", jidDomain(t.host)}
	if x.named && t.name != nobody {
		attrs = append(attrs, "from", jidDomain(t.name))
	}
	if err := d.write([]byte(x.header(attrs...))); err != nil {
		return err
	}
	r := &xmlReader{d: d}
	header, err := x.opened(r)
	if err != nil {
		return err
	}
	d.stage = StageCapability
	offered := false
	if modern(header) {
		if offered, err = x.features(r); err != nil {
			return err
		}
	}
	d.keep()
	if !offered {
		return d.fail(ErrNotOffered, "")
	}
	d.stage = StageUpgrade
	r.skipSpace()
	if err := d.clean(); err != nil {
		return err // an answer before the question
	}
	r.tight = true // from here on, section 5.3.3
	if err := d.write([]byte("<starttls xmlns='" + tlsSpace + "'/>")); err != nil {
		return err
	}
	return x.proceed(r)
}

// header begins a stream, section 4.7. The attributes come in pairs.
func (x xmpp) header(attrs ...string) string {
	var b strings.Builder
	b.WriteString("<?xml version='1.0'?><stream:stream")
	for i := 0; i < len(attrs); i += 2 {
		fmt.Fprintf(&b, " %s='%s'", attrs[i], xmlEscape(attrs[i+1]))
	}
	fmt.Fprintf(&b, " version='1.0' xml:lang='en' xmlns='%s' xmlns:stream='%s'>", x.content, streamSpace)
	return b.String()
}

// jidDomain is the name of a host, or its address, as the domain of an address in XMPP (RFC 7622 section 3.2).
func jidDomain(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

func xmlEscape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "'", "&apos;", `"`, "&quot;").Replace(s)
}

// errXMPPSpace is a header whose namespaces are others.
var errXMPPSpace = errors.New("no stream of the kind that is due begins")

// opened reads the header of the peer's stream. It returns what it has read of it with an error too.
func (x xmpp) opened(r *xmlReader) (header xmlTag, err error) {
	tag, err := r.next()
	if err != nil {
		return tag, err
	}
	content, _ := r.space("")
	switch {
	case tag.name.space != streamSpace:
		return tag, r.d.broken(tag.name.space, "%w", errXMPPSpace)
	case tag.name.local != "stream" || tag.empty:
		return tag, r.d.broken(tag.name.local, "no stream of XMPP begins")
	case content != x.content:
		return tag, r.d.broken(content, "%w: %s", errXMPPSpace, x.content)
	}
	return tag, nil
}

// modern reports whether a header is not of a time before features, and TLS.
func modern(header xmlTag) bool {
	version := header.attrs["version"]
	return version != "" && !strings.HasPrefix(version, "0.")
}

// element reads the beginning of the next element of the stream.
func (x xmpp) element(r *xmlReader) (xmlTag, error) {
	tag, err := r.next()
	switch {
	case err != nil:
		return xmlTag{}, err
	case tag.end:
		return xmlTag{}, r.d.fail(errStreamEnd, "")
	case tag.name == xmlName{streamSpace, "error"}:
		return xmlTag{}, x.failed(r)
	}
	return tag, nil
}

var errStreamEnd = fmt.Errorf("%w: the stream ends", ErrProtocol)

// failed is the error of a peer that ends the stream, with the condition that it names (section 4.9).
func (x xmpp) failed(r *xmlReader) error {
	r.d.over = true
	condition, _ := r.next()
	return r.d.fail(ErrRefused, condition.name.local)
}

// features reads what the server offers, section 4.3.2.
func (x xmpp) features(r *xmlReader) (offered bool, err error) {
	tag, err := x.element(r)
	if err != nil {
		return false, err
	}
	if tag.name != (xmlName{streamSpace, "features"}) {
		return false, r.d.broken(tag.name.local, "an element where features are due")
	}
	for ended := tag.empty; !ended; {
		feature := len(r.open) == 2 // next comes a feature, and not what one is made of
		if tag, err = r.next(); err != nil {
			return false, err
		}
		if feature && !tag.end && tag.name == (xmlName{tlsSpace, "starttls"}) {
			offered = true
		}
		ended = len(r.open) == 1
	}
	return offered, nil
}

// proceed reads the server's answer to starttls, section 5.4.2. A refusal ends the stream.
func (x xmpp) proceed(r *xmlReader) error {
	tag, err := x.element(r)
	if err != nil {
		return err
	}
	switch tag.name {
	case xmlName{tlsSpace, "proceed"}:
		return x.hollow(r, tag)
	case xmlName{tlsSpace, "failure"}:
		r.d.over = true
		return r.d.fail(ErrRefused, "")
	}
	return r.d.broken(tag.name.local, "an element where proceed is due")
}

// hollow reads the end of an element that has nothing in it.
func (x xmpp) hollow(r *xmlReader, tag xmlTag) error {
	if tag.empty {
		return nil
	}
	end, err := r.next()
	if err == nil && (!end.end || end.text != "") {
		err = r.d.broken(end.text, "something in %s", tag.name.local)
	}
	return err
}
