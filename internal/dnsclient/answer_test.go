package dnsclient_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// What a server answers, and what comes of it.
func TestAnswers(t *testing.T) {
	hundreds := func(n int) (records []string) {
		for i := range n {
			records = append(records, fmt.Sprintf("@ 60 AAAA 2001:db8::%x", i+1))
		}
		return records
	}
	for _, test := range []struct {
		name    string
		answer  []string
		want    []string
		message string // of the error, where there is one
	}{
		{"one address", []string{"@ 60 AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""},
		{"several, in their order", []string{"@ 60 AAAA 2001:db8::2", "@ 60 AAAA 2001:db8::1"}, []string{"2001:db8::2", "2001:db8::1"}, ""},
		{"the same twice", []string{"@ 60 AAAA 2001:db8::1", "@ 60 AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""}, // HE-12
		{"another type beside it", []string{"@ 60 A 192.0.2.1", "@ 60 AAAA 2001:db8::1", `@ 60 TXT "text"`}, []string{"2001:db8::1"}, ""},
		{"another class", []string{"@ 60 CH TXT text", "@ 60 IN AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""},
		{"another name's address", []string{"@ 60 AAAA 2001:db8::1", "www.bank.example. 60 AAAA 2001:db8::bad"}, []string{"2001:db8::1"}, ""},
		{"in capitals", []string{"HOST.EXAMPLE. 60 AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""},
		{"an alias", []string{"@ 60 CNAME b.example.", "b.example. 60 AAAA 2001:db8::1"}, []string{"2001:db8::1"}, ""},
		{"aliases in the wrong order", []string{"c.example. 60 AAAA 2001:db8::1", "B.example. 60 CNAME c.example.", "@ 60 CNAME b.EXAMPLE."}, []string{"2001:db8::1"}, ""},
		{"an alias to itself", []string{"@ 60 CNAME @"}, nil, "the aliases of the name lead back to host.example."},
		{"aliases in a circle", []string{"@ 60 CNAME b.example.", "b.example. 60 CNAME c.example.", "c.example. 60 CNAME b.example."}, nil, "lead back to b.example."},
		{"16 aliases", append(aliases(16), "a16.example. 60 AAAA 2001:db8::1"), []string{"2001:db8::1"}, ""},
		{"17 aliases", append(aliases(17), "a17.example. 60 AAAA 2001:db8::1"), nil, "are too many"},
		{"an alias to a name that is not one of a host", []string{`@ 60 CNAME a\.b\ c.example.`, `a\.b\ c.example. 60 AAAA 2001:db8::1`}, []string{"2001:db8::1"}, ""},
		{"500 addresses", hundreds(500), textsOf(500), ""},   // HE-12
		{"1000 addresses", hundreds(1000), textsOf(512), ""}, // HE-12
		{"an address of IPv4 as one of IPv6", []string{"@ 60 AAAA ::ffff:192.0.2.1"}, []string{"::ffff:192.0.2.1"}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := client(t, memory(t, func(q *dnstest.Query) {
					m := q.Message(dns.RcodeSuccess, test.answer...)
					if m.Len() > 1232 && q.Transport == "udp" {
						m.Truncated, m.Answer = true, nil
					}
					q.Reply(m)
				}))
				if test.message == "" {
					found(t, c, "ip6", "host.example", test.want...)
					return
				}
				err := fails(t, c, "ip6", "host.example")
				if !strings.Contains(err.Error(), test.message) || err.IsNotFound || err.IsTemporary {
					t.Errorf("the error is %v (%+v), want %q", err, err, test.message)
				}
			})
		})
	}
}

func aliases(n int) []string {
	records := []string{"@ 60 CNAME a1.example."}
	for i := 1; i < n; i++ {
		records = append(records, fmt.Sprintf("a%d.example. 60 CNAME a%d.example.", i, i+1))
	}
	return records
}

func textsOf(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("2001:db8::%x", i+1))
	}
	return list
}
