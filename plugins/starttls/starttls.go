// Package starttls is the endpoint starttls: a stream that begins in plain text and becomes TLS when client and server have
// agreed on it, in one of fourteen protocols. What was said in plain text is forgotten; a byte in plain text behind the
// agreement ends the connection.
package starttls

import (
	"slices"
	"time"

	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/internal/tlsendpoint"
	"github.com/epctl/endpoint/registry"
)

// Plugin is the endpoint starttls. Its clients dial, and its listeners accept, *tls.Conn; with mode=opportunistic the inner
// endpoint's connections too.
var Plugin = registry.Plugin{
	Name:   "starttls",
	Doc:    "TLS that client and server agree on in plain text first, over another endpoint.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

const opportunistic = "opportunistic"

type clientOptions struct {
	Endpoint   registry.Client `ep:"endpoint,required" doc:"what the connection goes over"`
	Proto      string          `ep:"proto,required" enum:"smtp,lmtp,pop3,imap,nntp,sieve,ftp,xmpp,xmpp-server,ldap,postgres,mysql,irc,telnet" doc:"protocol to agree on TLS in"`
	Host       string          `ep:"host" doc:"name or address that the server's certificate must be for; that of the inner endpoint where not given"`
	Mode       string          `ep:"mode" default:"required" enum:"required,opportunistic" doc:"opportunistic goes on without TLS where the server has none, or somebody on the way says so"`
	ClientName string          `ep:"clientName" doc:"name to give to a server that wants one, as in EHLO; localhost where not given"`
	Direct     bool            `ep:"direct" default:"no" doc:"TLS at once, with ALPN; postgres from version 17 on"`
	tlsconn.ClientFiles
	tlsconn.ClientOptions
}

// Warnings tells what is right but not wise.
func (o clientOptions) Warnings() []*registry.Fault {
	return append(tlsendpoint.Unwise(o.ClientOptions), unsafeMode(o.Mode, "server")...)
}

type serverOptions struct {
	Endpoint     registry.Server `ep:"endpoint,required" doc:"what to listen on"`
	Proto        string          `ep:"proto,required" enum:"smtp,lmtp,pop3,imap,nntp,sieve,ftp,xmpp,xmpp-server,ldap,postgres,mysql,irc,telnet" doc:"protocol to agree on TLS in"`
	Host         string          `ep:"host" doc:"name of the server, as its greeting has it, and which its certificate should be for; localhost in the greeting where not given"`
	Mode         string          `ep:"mode" default:"required" enum:"required,opportunistic" doc:"opportunistic also hands out clients that go on without TLS"`
	Greeting     string          `ep:"greeting" doc:"what to say first, without the protocol's own beginning; the protocol's usual words where not given"`
	Capabilities []string        `ep:"capabilities" doc:"what else to offer beside TLS, where the protocol has a list"`
	Direct       bool            `ep:"direct" default:"no" doc:"also take clients that begin with TLS at once, with ALPN; postgres only"`
	tlsconn.ServerFiles
	tlsconn.ServerOptions
}

// Warnings tells what is right but not wise.
func (o serverOptions) Warnings() []*registry.Fault { return unsafeMode(o.Mode, "client") }

func unsafeMode(mode, peer string) []*registry.Fault {
	if mode != opportunistic {
		return nil
	}
	return []*registry.Fault{registry.Bad("mode", "anybody on the way can keep the %s from TLS, and read and change everything", peer).WithFix("required")}
}

// directProtocol is the only one in which a client of the same port may begin with TLS.
const directProtocol = "postgres"

func directProblem(direct bool, proto string) error {
	if direct && proto != directProtocol {
		return registry.Bad("direct", "is for proto=%s; elsewhere TLS at once is the endpoint tls", directProtocol).With("proto")
	}
	return nil
}

// alpnProblem refuses TLS at once for another protocol than that which both sides have to agree on.
func (p protocol) alpnProblem(direct bool, chosen []string) error {
	if direct && len(chosen) > 0 && !slices.Contains(chosen, p.alpn) {
		return registry.Bad("alpn", "must have %s with direct=yes", p.alpn).With("direct")
	}
	return nil
}

// plainProblem refuses a fallback where there is nothing to fall back from: with TLS at once nothing is agreed on.
func plainProblem(direct bool, mode string) error {
	if direct && mode == opportunistic {
		return registry.Bad("mode", "has no meaning with direct=yes, which never is in plain text").With("direct")
	}
	return nil
}

// alpnFor are the protocols to negotiate where none was chosen: against attacks that bring a client to a server of another
// protocol (ALPACA).
func (p protocol) alpnFor(chosen []string) []string {
	if len(chosen) > 0 || p.alpn == "" {
		return chosen
	}
	return []string{p.alpn}
}

// until is when dialogue and handshake have to be over.
func until(timeout time.Duration) time.Time { return time.Now().Add(timeout) }
