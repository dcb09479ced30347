package starttls

import (
	"slices"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// A protocol is what is said before TLS in one of the protocols. Each has a file of its own, with two functions: the
// client's, which returns when the server has agreed to TLS, and the server's, which returns when the client has been told
// to begin. Both leave the handshake, the deadline and the closing to their caller.
type protocol struct {
	name         string
	alpn         string // registered with IANA for the protocol, "" where none is
	greeting     bool   // the server's greeting can be chosen
	capabilities bool   // so can its list of capabilities
	needsHost    bool   // the client has to name the server
	named        bool   // the client says its name
	client       func(*dialogue, clientTerms) error
	server       func(*dialogue, serverTerms) error
}

// clientTerms are what a client may say of itself and of the server.
type clientTerms struct {
	host string // of the server, "" where it is not known; never what was learnt in plain text
	name string // of the client
}

// serverTerms are what a server says.
type serverTerms struct {
	host         string   // of the server
	greeting     string   // in place of the protocol's own
	capabilities []string // beside that of TLS
	plain        bool     // a client that goes on without TLS is handed out too
	direct       bool     // one that begins with TLS, too
}

// protocols are all that there are, in the order of the enum of the parameter proto.
func protocols() []protocol {
	return []protocol{
		smtp(),
		lmtp(),
		pop3(),
		imap(),
		nntp(),
		sieve(),
		ftp(),
		xmppClients(),
		xmppServers(),
		ldap(),
		postgres(),
		mysql(),
		irc(),
		telnet(),
	}
}

func protocolNamed(name string) protocol {
	all := protocols()
	return all[slices.IndexFunc(all, func(p protocol) bool { return p.name == name })]
}

// hostProblem checks that a client knows what its protocol has to say.
func (p protocol) hostProblem(host string) error {
	if p.needsHost && host == "" {
		return registry.Bad("host", "has to be given: the client says in %s which domain it wants", p.name).With("proto")
	}
	return nil
}

// greet is the greeting that was chosen, or else the usual one.
func (t serverTerms) greet(usual string) string {
	if t.greeting != "" {
		return t.greeting
	}
	return usual
}

// offers are the capabilities that were chosen and, as the last one, that of TLS.
func (t serverTerms) offers(tls string) []string {
	offers := slices.DeleteFunc(slices.Clone(t.capabilities), func(c string) bool { return strings.EqualFold(c, tls) })
	return append(offers, tls)
}

// Protocols are the names of the protocols, as the parameter proto takes them.
func Protocols() []string {
	var names []string
	for _, p := range protocols() {
		names = append(names, p.name)
	}
	return names
}
