// Package dnstest is a DNS server for tests: it does what a test says, also what no server should do.
package dnstest

import (
	"net"
	"net/http"
	"testing"

	"github.com/miekg/dns"
)

// A Handler answers a query, or does not. It may be called from several goroutines at once, and may take its time.
type Handler func(q *Query)

// A Query is what a client asks.
type Query struct {
	*dns.Msg
	Transport string   // "udp", "tcp", "tls" or "https"
	Remote    net.Addr // the client
	Wire      []byte   // the message as it came
	Number    int      // how many came to this socket before; over UDP only

	HTTP  http.ResponseWriter // over HTTPS, for headers
	Proto string              // over HTTPS, such as "HTTP/2.0"; over TLS what ALPN chose
	Host  string              // over HTTPS
	Path  string              // over HTTPS

	t      testing.TB
	send   func(message []byte)
	raw    func(b []byte)
	status func(code int)
	drop   func()
}

// Name is the name that is asked for, in the case in which it came.
func (q *Query) Name() string { return q.Question[0].Name }

// Type is the type of record that is asked for, such as "AAAA".
func (q *Query) Type() string { return dns.TypeToString[q.Question[0].Qtype] }

// Send sends bytes as a message.
func (q *Query) Send(message []byte) { q.send(message) }

// Raw sends bytes as they are, without the length that goes before a message in a stream. Over UDP it does nothing.
func (q *Query) Raw(b []byte) { q.raw(b) }

// Status answers with an HTTP status and no message.
func (q *Query) Status(code int) { q.status(code) }

// Close closes the connection. Over UDP it does nothing.
func (q *Query) Close() { q.drop() }

// Reply sends m.
func (q *Query) Reply(m *dns.Msg) {
	wire, err := m.Pack()
	if err != nil {
		q.t.Errorf("the scripted answer can't be packed: %v", err)
		return
	}
	q.Send(wire)
}

// Message makes an answer with the records of section answer, each as in a zone file. The name @ is the one asked for.
func (q *Query) Message(rcode int, records ...string) *dns.Msg {
	m := new(dns.Msg).SetRcode(q.Msg, rcode)
	m.RecursionAvailable, m.Compress = true, true
	m.Answer = Records(q.t, q.Name(), records...)
	return m
}

// Answer sends an answer with records.
func (q *Query) Answer(records ...string) { q.Reply(q.Message(dns.RcodeSuccess, records...)) }

// Nothing sends an answer without records, with a SOA record that says how long that holds, in seconds.
func (q *Query) Nothing(rcode int, ttl string) {
	m := q.Message(rcode)
	m.Ns = Records(q.t, q.Name(), "@ "+ttl+" SOA ns.example. host.example. 1 2 3 4 "+ttl)
	q.Reply(m)
}

// Refuse sends an answer that is a response code.
func (q *Query) Refuse(rcode int) { q.Reply(q.Message(rcode)) }

// Records reads records as in a zone file; @ is the origin.
func Records(t testing.TB, origin string, records ...string) []dns.RR {
	var rrs []dns.RR
	for _, text := range records {
		zone := dns.NewZoneParser(newReader(text), origin, "")
		rr, ok := zone.Next()
		if !ok {
			t.Errorf("the scripted record %q is none: %v", text, zone.Err())
			continue
		}
		rrs = append(rrs, rr)
	}
	return rrs
}
