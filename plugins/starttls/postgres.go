package starttls

import "encoding/binary"

// postgres is the SSLRequest of PostgreSQL (Frontend/Backend Protocol, sections "SSL Session Encryption" and "GSSAPI Session
// Encryption"): eight bytes, and one byte in reply.
//
// After TLS the client sends its StartupMessage. A server behind this one reads that first, and refuses another SSLRequest
// or GSSENCRequest; a CancelRequest may come instead.
//
// With direct=yes TLS comes at once, as sslnegotiation=direct of PostgreSQL 17 has it, and both sides have to agree on
// postgresql by ALPN: a server of another protocol must not be mistaken for one of PostgreSQL.
//
// In the mode opportunistic there is nothing to read again: a client sends its StartupMessage, a server reads it.
func postgres() protocol {
	return protocol{name: "postgres", alpn: "postgresql", client: postgresClient, server: postgresServer}
}

// The codes that stand where a StartupMessage has its version (section "Message Formats").
const (
	postgresCancel = 1234<<16 | 5678
	postgresSSL    = 1234<<16 | 5679
	postgresGSS    = 1234<<16 | 5680

	postgresVersion = 3          // the major one; the minor one is the client's choice
	postgresRequest = 8          // bytes of a request for encryption: length and code
	postgresStartup = 10000      // bytes of the longest StartupMessage, MAX_STARTUP_PACKET_LENGTH of the server
	tlsHandshake    = byte(0x16) // the first byte of a TLS connection, RFC 8446 section 5.1
)

func postgresClient(d *dialogue, _ clientTerms) error {
	d.stage = StageUpgrade
	request := binary.BigEndian.AppendUint32(nil, postgresRequest)
	if err := d.write(binary.BigEndian.AppendUint32(request, postgresSSL)); err != nil {
		return err
	}
	reply, err := d.next(1)
	if err != nil {
		return err
	}
	switch reply[0] {
	case 'S':
		return d.clean() // CVE-2021-23222
	case 'N':
		return d.fail(ErrNotOffered, "")
	case 'E':
		// The text that follows is anybody's, and not to be shown (CVE-2024-10977); the connection has to be closed.
		d.over = true
		return d.fail(ErrRefused, "")
	}
	return d.broken(string(reply), "neither S nor N")
}

func postgresServer(d *dialogue, t serverTerms) error {
	d.stage = StageUpgrade
	if direct, err := d.beginsWithTLS(); direct || err != nil {
		return d.takeDirect(t, err)
	}
	for asked := false; ; asked = true {
		from := len(d.spoken)
		head, err := d.next(postgresRequest)
		if err != nil {
			return err
		}
		size, code := binary.BigEndian.Uint32(head), binary.BigEndian.Uint32(head[4:])
		switch {
		case size == postgresRequest && code == postgresSSL:
			return d.goAhead([]byte("S"))
		case size == postgresRequest && code == postgresGSS && !asked:
			// Clients with Kerberos ask for that first, and then for TLS.
			if err := d.goAhead([]byte("N")); err != nil {
				return err
			}
			continue
		}
		return d.startedPlain(t, from, size, code)
	}
}

// beginsWithTLS waits for the first byte, and leaves it where it is.
func (d *dialogue) beginsWithTLS() (bool, error) {
	if err := d.read(); err != nil {
		return false, err
	}
	return d.buffer[0] == tlsHandshake, nil
}

func (d *dialogue) takeDirect(t serverTerms, err error) error {
	switch {
	case err != nil:
		return err
	case !t.direct:
		return d.broken("", "TLS at once, which is for direct=yes")
	}
	d.direct = true
	return nil
}

// startedPlain is about a StartupMessage or a CancelRequest without TLS, whose first eight bytes are read.
func (d *dialogue) startedPlain(t serverTerms, from int, size, code uint32) error {
	if size < postgresRequest || size > postgresStartup {
		return d.broken("", "a message of %d bytes", size)
	}
	if code>>16 != postgresVersion && code != postgresCancel {
		return d.broken("", "a request with the code %#x", code)
	}
	// All of it is read, lest the answer be lost with what is unread when the connection is closed.
	if _, err := d.next(int(size) - postgresRequest); err != nil {
		return err
	}
	if code == postgresCancel {
		return d.without(t, from, nil) // there is no answer to it
	}
	return d.without(t, from, postgresFatal("28000", "this server takes only connections with TLS"))
}

// postgresFatal is an ErrorResponse; code is an SQLSTATE.
func postgresFatal(code, text string) []byte {
	fields := "SFATAL\x00VFATAL\x00C" + code + "\x00M" + text + "\x00\x00"
	return append(binary.BigEndian.AppendUint32([]byte("E"), uint32(4+len(fields))), fields...)
}
