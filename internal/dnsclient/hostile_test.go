package dnsclient_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// forged makes an answer with a false address, and lets change spoil it.
func forged(q *dnstest.Query, change func(m *dns.Msg)) []byte {
	m := q.Message(dns.RcodeSuccess, "@ 60 AAAA 2001:db8::bad")
	change(m)
	wire, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return wire
}

// Over UDP, messages that do not answer the question are passed over, however many they are.
func TestForeignMessagesArePassedOver(t *testing.T) {
	for _, test := range []struct {
		name    string
		message func(q *dnstest.Query) []byte
	}{
		{"nothing", func(*dnstest.Query) []byte { return []byte{} }},
		{"one byte", func(*dnstest.Query) []byte { return []byte{0} }},
		{"half a header with the right id", func(q *dnstest.Query) []byte { return q.Wire[:6] }},
		{"a header without a question", func(q *dnstest.Query) []byte { return forged(q, func(m *dns.Msg) { m.Question, m.Answer = nil, nil }) }},
		{"an answer without a question", func(q *dnstest.Query) []byte { return forged(q, func(m *dns.Msg) { m.Question = nil }) }},
		{"the question itself", func(q *dnstest.Query) []byte { return q.Wire }},
		{"wrong id", func(q *dnstest.Query) []byte { return forged(q, func(m *dns.Msg) { m.Id++ }) }},
		{"wrong name", func(q *dnstest.Query) []byte {
			return forged(q, func(m *dns.Msg) { m.Question[0].Name = "other.example." })
		}},
		{"wrong type", func(q *dnstest.Query) []byte {
			return forged(q, func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeA })
		}},
		{"wrong class", func(q *dnstest.Query) []byte {
			return forged(q, func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })
		}},
		{"two questions", func(q *dnstest.Query) []byte {
			return forged(q, func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) })
		}},
		{"an update", func(q *dnstest.Query) []byte { return forged(q, func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }) }},
		{"garbage", func(*dnstest.Query) []byte { return []byte(strings.Repeat("garbage ", 20)) }},
		{"garbage, truncated, with the right id", func(q *dnstest.Query) []byte {
			return append(slices.Clone(q.Wire[:2]), 0x82, 0, 0, 1, 0xff, 0xff, 0, 0, 0, 0, 0xc0)
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, memory(t, func(q *dnstest.Query) {
					for range 3 {
						q.Send(test.message(q))
					}
					good(q)
				}))
				found(t, c, "ip6", "host.example", "2001:db8::1")
			})
		})
	}
}

// An answer with the right id and question that can't be read ends the try: the next server is asked.
func TestMalformedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, func(q *dnstest.Query) {
			wire := forged(q, func(*dns.Msg) {})
			q.Send(wire[:len(wire)-8])
		}, good))
		found(t, c, "ip6", "host.example", "2001:db8::1")
	})
}

// With mixCase, an answer must have the name in the case in which it was asked for.
func TestMixedCaseIsDemandedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const host = "a-long-name-that-has-many-letters.host.example"
		seen := make(map[string]bool)
		cfg := memory(t, func(q *dnstest.Query) {
			seen[q.Name()] = true
			if !strings.EqualFold(q.Name(), host+".") {
				t.Errorf("asked for %q", q.Name())
			}
			q.Send(forged(q, func(m *dns.Msg) { m.Question[0].Name = strings.ToLower(m.Question[0].Name) }))
			good(q)
		})
		cfg.MixCase, cfg.CacheSize = true, 0
		c := client(t, cfg)
		for range 3 {
			found(t, c, "ip6", host, "2001:db8::1")
			synctest.Wait()
		}
		if len(seen) != 3 {
			t.Errorf("three questions are asked in the cases %v", seen)
		}
	})
}

// Ids and ports are new for each question, and can't be guessed from those before.
func TestIdsAndPortsAreRandom(t *testing.T) {
	const questions = 50
	type asked struct {
		id   uint16
		port int
	}
	all := make(chan asked, questions)
	s := dnstest.Start(t, func(q *dnstest.Query) {
		all <- asked{q.Id, q.Remote.(*net.UDPAddr).Port}
		good(q)
	})
	cfg := real(s, dnsclient.UDP)
	cfg.CacheSize = 0
	c := client(t, cfg)
	ids, ports, steps := make(map[uint16]bool), make(map[int]bool), make(map[uint16]bool)
	var last uint16
	for range questions {
		found(t, c, "ip6", "host.example", "2001:db8::1")
		a := <-all
		ids[a.id], ports[a.port], steps[a.id-last] = true, true, true
		last = a.id
	}
	// By chance, fewer than 40 of 50 happen less often than a machine fails.
	if len(ids) < 40 || len(steps) < 40 || len(ports) < 20 {
		t.Errorf("%d questions have %d ids in %d steps, and %d ports", questions, len(ids), len(steps), len(ports))
	}
}

// What comes from another address, or another port of the same, is not seen at all.
func TestWrongSource(t *testing.T) {
	other, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s := dnstest.Start(t, func(q *dnstest.Query) {
		if _, err := other.WriteTo(forged(q, func(*dns.Msg) {}), q.Remote); err != nil {
			t.Errorf("the forged answer can't be sent: %v", err)
		}
		good(q)
	})
	found(t, client(t, real(s, dnsclient.UDP)), "ip6", "host.example", "2001:db8::1")
}

// Over a stream, a message that does not answer the question ends the connection.
func TestHostileStreams(t *testing.T) {
	answer := func(q *dnstest.Query) []byte { return forged(q, func(*dns.Msg) {}) }
	for _, test := range []struct {
		name string
		h    dnstest.Handler
	}{
		{"closed at once", func(q *dnstest.Query) { q.Close() }},
		{"closed within the length", func(q *dnstest.Query) { q.Raw([]byte{0}); q.Close() }},
		{"closed within the message", func(q *dnstest.Query) {
			q.Raw(append([]byte{0, byte(len(answer(q)))}, answer(q)[:20]...))
			q.Close()
		}},
		{"no message", func(q *dnstest.Query) { q.Raw([]byte{0, 0}) }},
		{"a short one", func(q *dnstest.Query) { q.Raw([]byte{0, 2, 0, 0}) }},
		{"a length that goes past the answer", func(q *dnstest.Query) { q.Raw(append([]byte{0xff, 0xff}, answer(q)...)); q.Close() }},
		{"a length that ends before it", func(q *dnstest.Query) { q.Raw(append([]byte{0, 40}, answer(q)...)) }},
		{"garbage", func(q *dnstest.Query) { q.Send([]byte(strings.Repeat("garbage ", 100))) }},
		{"wrong id", func(q *dnstest.Query) { q.Send(forged(q, func(m *dns.Msg) { m.Id++ })) }},
		{"wrong question", func(q *dnstest.Query) {
			q.Send(forged(q, func(m *dns.Msg) { m.Question[0].Name = "other.example." }))
		}},
		{"truncated, where there is nothing to turn to", func(q *dnstest.Query) {
			q.Send(forged(q, func(m *dns.Msg) { m.Truncated = true }))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := memory(t, test.h, good)
				cfg.Transport = dnsclient.TCP
				found(t, client(t, cfg), "ip6", "host.example", "2001:db8::1")

				cfg = memory(t, test.h)
				cfg.Transport, cfg.Attempts = dnsclient.TCP, 1
				if err := fails(t, client(t, cfg), "ip6", "host.example"); err.IsNotFound {
					t.Errorf("the error is %v, which is taken for an answer", err)
				}
			})
		})
	}
}
