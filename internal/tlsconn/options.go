// Package tlsconn makes TLS connections of others' connections, on the side of the client and of the server: what the
// plugins tls, ssl and starttls have in common. The protocol itself is crypto/tls's.
package tlsconn

import (
	"crypto/tls"
	"time"
)

// Common are the options of TLS on both sides.
type Common struct {
	ALPN             []string      `ep:"alpn" doc:"protocols to negotiate by ALPN (RFC 7301), the preferred one first"`
	MinVersion       string        `ep:"minVersion" default:"1.2" enum:"1.2,1.3" doc:"oldest version of TLS to accept"`
	MaxVersion       string        `ep:"maxVersion" default:"1.3" enum:"1.2,1.3" doc:"newest version of TLS to accept"`
	HandshakeTimeout time.Duration `ep:"handshakeTimeout" default:"10s" doc:"how long the handshake may take, with all that is said before it"`
}

// ClientOptions are the options of a client, without its files.
type ClientOptions struct {
	Common
	Pin          []Pin  `ep:"pin" doc:"public keys, one of which the server's chain must have: the SHA-256 of a SubjectPublicKeyInfo, in base64 or hex"`
	Verify       string `ep:"verify" default:"full" enum:"full,none" doc:"how the server's certificate is verified: full is chain, name and validity; none lets anybody be the server"`
	SessionCache int    `ep:"sessionCache" default:"64" doc:"sessions to keep for resumption (RFC 8446 section 2.2), 0 for none"`
}

// ClientFiles are the files of a client.
type ClientFiles struct {
	Certificate string `ep:"certificate" doc:"PEM file with the certificate to show to a server that asks for one, and its intermediates"`
	PrivateKey  string `ep:"privateKey" doc:"PEM file with the key of the certificate; the certificate's file where not given"`
	TrustRoots  string `ep:"trustRoots" doc:"PEM file, or directory of such, with the authorities to trust; the system's where not given"`
}

// ServerOptions are the options of a server, without its certificates.
type ServerOptions struct {
	Common
	ClientCA      string `ep:"clientCA" doc:"PEM file, or directory of such, with the authorities of clients' certificates"`
	ClientAuth    string `ep:"clientAuth" default:"none" enum:"none,request,require" doc:"whether clients show a certificate: request verifies one that is shown"`
	MaxHandshakes int    `ep:"maxHandshakes" default:"1024" doc:"handshakes at once, connections that wait to be accepted included"`
}

// ServerFiles are the certificate of a server.
type ServerFiles struct {
	Certificate string `ep:"certificate" doc:"PEM file with the server's certificate and its intermediates"`
	PrivateKey  string `ep:"privateKey" doc:"PEM file with the key of the certificate; the certificate's file where not given"`
}

// A Problem is what is wrong with an option.
type Problem struct{ param, message, with string }

// Error is the message, without the option.
func (p *Problem) Error() string { return p.message }

// BadParam names the option at fault, and another one that belongs to the fault.
func (p *Problem) BadParam() (param, with string) { return p.param, p.with }

func versions(o Common) (oldest, newest uint16) {
	of := map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}
	return of[o.MinVersion], of[o.MaxVersion]
}

func (o Common) problem() *Problem {
	oldest, newest := versions(o)
	if newest < oldest {
		return &Problem{"maxVersion", o.MaxVersion + " is older than the oldest version, " + o.MinVersion, "minVersion"}
	}
	if o.HandshakeTimeout <= 0 {
		return &Problem{"handshakeTimeout", "must be more than 0", ""}
	}
	for _, name := range o.ALPN {
		if name == "" || len(name) > 255 {
			return &Problem{"alpn", "the name of a protocol has 1 to 255 bytes (RFC 7301 section 3.1)", ""}
		}
	}
	return nil
}

func (o Common) config() *tls.Config {
	oldest, newest := versions(o)
	return &tls.Config{MinVersion: oldest, MaxVersion: newest, NextProtos: o.ALPN}
}
