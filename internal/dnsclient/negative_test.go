package dnsclient_test

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// What a server says instead of an address, and what kind of error that is. HE-03 builds on it.
func TestNegativeAnswers(t *testing.T) {
	type flags struct{ notFound, temporary, timeout bool }
	for _, test := range []struct {
		name    string
		h       dnstest.Handler
		want    flags
		message string
	}{
		{"NXDOMAIN", func(q *dnstest.Query) { q.Nothing(dns.RcodeNameError, "60") },
			flags{notFound: true}, "no such host"},
		{"NXDOMAIN without a SOA record", func(q *dnstest.Query) { q.Refuse(dns.RcodeNameError) },
			flags{notFound: true}, "no such host"},
		{"NXDOMAIN behind an alias", func(q *dnstest.Query) {
			q.Reply(q.Message(dns.RcodeNameError, "@ 60 CNAME gone.example."))
		}, flags{notFound: true}, "no such host"},
		{"NXDOMAIN with an address all the same", func(q *dnstest.Query) {
			q.Reply(q.Message(dns.RcodeNameError, "@ 60 AAAA 2001:db8::1"))
		}, flags{notFound: true}, "no such host"},
		{"NODATA", func(q *dnstest.Query) { q.Nothing(dns.RcodeSuccess, "60") },
			flags{notFound: true}, "the name has no IPv6 address"},
		{"NODATA without a SOA record", func(q *dnstest.Query) { q.Answer() },
			flags{notFound: true}, "the name has no IPv6 address"},
		{"NODATA with the other family", func(q *dnstest.Query) { q.Answer("@ 60 A 192.0.2.1") },
			flags{notFound: true}, "the name has no IPv6 address"},
		{"SERVFAIL", func(q *dnstest.Query) { q.Refuse(dns.RcodeServerFailure) },
			flags{temporary: true}, "the server answers SERVFAIL"},
		{"REFUSED", func(q *dnstest.Query) { q.Refuse(dns.RcodeRefused) },
			flags{temporary: true}, "the server answers REFUSED"},
		{"REFUSED in a header alone", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeRefused)
			m.Question = nil
			q.Reply(m)
		}, flags{temporary: true}, "the server answers REFUSED"},
		{"a code that nobody knows", func(q *dnstest.Query) { q.Refuse(13) },
			flags{temporary: true}, "the server answers RCODE 13"},
		{"a code with 12 bits", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeSuccess)
			m.Rcode = dns.RcodeBadVers
			m.SetEdns0(1232, false)
			q.Reply(m)
		}, flags{temporary: true}, "the server answers BADVERS"},
		{"reasons", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeServerFailure)
			m.SetEdns0(1232, false).IsEdns0().Option = []dns.EDNS0{
				&dns.EDNS0_EDE{InfoCode: dns.ExtendedErrorCodeDNSBogus, ExtraText: "no \x1b[31msignature"},
				&dns.EDNS0_EDE{InfoCode: 4711},
			}
			q.Reply(m)
		}, flags{temporary: true}, `the server answers SERVFAIL (DNSSEC Bogus: "no \x1b[31msignature") (reason 4711)`},
		{"a server that is none for others", func(q *dnstest.Query) {
			m := q.Message(dns.RcodeSuccess)
			m.RecursionAvailable = false
			m.Ns = dnstest.Records(t, q.Name(), "example. 60 NS ns.example.")
			q.Reply(m)
		}, flags{}, "neither has the name nor looks it up"},
		{"silence", func(*dnstest.Query) {}, flags{timeout: true, temporary: true}, "no answer in 8s (3 tries)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				err := fails(t, client(t, memory(t, test.h)), "ip6", "host.example")
				if got := (flags{err.IsNotFound, err.IsTemporary, err.IsTimeout}); got != test.want {
					t.Errorf("%v is %+v, want %+v", err, got, test.want)
				}
				if !strings.Contains(err.Err, test.message) {
					t.Errorf("the error is %q, want %q", err.Err, test.message)
				}
				if !err.IsNotFound && err.Server != "a.example:53" {
					t.Errorf("the error names the server %q", err.Server)
				}
			})
		})
	}
}

// A server that leaves out where an alias leads is asked for that.
func TestAliasesAreFollowedByQuestions(t *testing.T) {
	for _, test := range []struct {
		name    string
		records map[string]string // by the name that is asked for
		want    []string
		message string
	}{
		{"one", map[string]string{"a.example.": "@ 60 CNAME b.example.", "b.example.": "@ 60 AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""},
		{"two", map[string]string{
			"a.example.": "@ 60 CNAME b.example.", "b.example.": "@ 60 CNAME c.example.", "c.example.": "@ 60 AAAA 2001:db8::1",
		}, []string{"2001:db8::1"}, ""},
		{"to nowhere", map[string]string{"a.example.": "@ 60 CNAME b.example."}, nil, "no such host"},
		{"in a circle", map[string]string{
			"a.example.": "@ 60 CNAME b.example.", "b.example.": "@ 60 CNAME c.example.", "c.example.": "@ 60 CNAME a.example.",
		}, nil, "lead back to a.example."},
		{"without end", map[string]string{}, nil, "are too many"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := newTally()
				c := client(t, memory(t, func(q *dnstest.Query) {
					asked.add(q)
					record, ok := test.records[q.Name()]
					switch {
					case ok:
						q.Answer(record)
					case test.name == "without end":
						q.Answer("@ 60 CNAME x." + q.Name())
					default:
						q.Nothing(dns.RcodeNameError, "60")
					}
				}))
				if test.message == "" {
					found(t, c, "ip6", "a.example", test.want...)
				} else if err := fails(t, c, "ip6", "a.example"); !strings.Contains(err.Err, test.message) {
					t.Errorf("the error is %q, want %q", err.Err, test.message)
				}
				if n := len(asked.take()); n > 8 {
					t.Errorf("%d questions for one name", n)
				}
			})
		})
	}
}

// The network "ip" is both families: AAAA and A are asked for at once, and one of them is enough.
func TestBothFamilies(t *testing.T) {
	const v6, v4 = "@ 60 AAAA 2001:db8::1", "@ 60 A 192.0.2.1"
	answer := func(record string) func(*dnstest.Query) { return func(q *dnstest.Query) { q.Answer(record) } }
	none := func(q *dnstest.Query) { q.Nothing(dns.RcodeSuccess, "60") }
	fail := func(q *dnstest.Query) { q.Refuse(dns.RcodeServerFailure) }
	for _, test := range []struct {
		name     string
		aaaa, a  dnstest.Handler
		want     []string
		notFound bool
		message  string
	}{
		{"both", answer(v6), answer(v4), []string{"2001:db8::1", "192.0.2.1"}, false, ""},
		{"IPv6 only", answer(v6), none, []string{"2001:db8::1"}, false, ""},
		{"IPv4 only", none, answer(v4), []string{"192.0.2.1"}, false, ""},
		{"IPv4 fails", answer(v6), fail, []string{"2001:db8::1"}, false, ""}, // HE-03
		{"IPv6 fails", fail, answer(v4), []string{"192.0.2.1"}, false, ""},
		{"none", none, none, nil, true, "the name has no IPv"},
		{"one fails", fail, none, nil, false, "SERVFAIL"},
		{"the other fails", none, fail, nil, false, "SERVFAIL"},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, memory(t, func(q *dnstest.Query) {
					if q.Type() == "AAAA" {
						test.aaaa(q)
						return
					}
					test.a(q)
				}))
				if test.want != nil {
					found(t, c, "ip", "host.example", test.want...)
					return
				}
				err := fails(t, c, "ip", "host.example")
				if err.IsNotFound != test.notFound || !strings.Contains(err.Err, test.message) {
					t.Errorf("the error is %v, IsNotFound %v", err, err.IsNotFound)
				}
			})
		})
	}
}
