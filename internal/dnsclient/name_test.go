package dnsclient_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// Which names are asked for, and as what. HE-10
func TestNames(t *testing.T) {
	label := strings.Repeat("a", 63)
	long := strings.Join([]string{label, label, label, label[:61]}, ".") // 253 bytes
	for _, test := range []struct {
		name  string
		asked string // "" for none
		want  []string
	}{
		{"host.example", "host.example.", []string{"2001:db8::1"}},
		{"host.example.", "host.example.", []string{"2001:db8::1"}},
		{"HOST.Example", "host.example.", []string{"2001:db8::1"}},
		{"host", "host.", []string{"2001:db8::1"}}, // no search list
		{"xn--bcher-kva.example", "xn--bcher-kva.example.", []string{"2001:db8::1"}},
		{"_service.host-1.example", "_service.host-1.example.", []string{"2001:db8::1"}},
		{long, long + ".", []string{"2001:db8::1"}},
		{"localhost", "", []string{"::1"}}, // RFC 6761 section 6.3
		{"LocalHost.", "", []string{"::1"}},
		{"www.localhost", "", []string{"::1"}},
		{"notlocalhost", "notlocalhost.", []string{"2001:db8::1"}},
		{"name.invalid", "", nil}, // RFC 6761 section 6.4
		{"name.onion", "", nil},   // RFC 7686 section 2
		{"printer.local", "", nil},
		{"local", "", nil},
		{"local.example", "local.example.", []string{"2001:db8::1"}},
		{"", "", nil},
		{".", "", nil},
		{"host..example", "", nil},
		{".host.example", "", nil},
		{"host.example..", "", nil},
		{"host example", "", nil},
		{"host\x00.example", "", nil},
		{"bücher.example", "", nil}, // names come in ASCII
		{"host%lo.example", "", nil},
		{"192.0.2.1", "", nil}, // addresses do not come at all
		{"2001:db8::1", "", nil},
		{"[2001:db8::1]", "", nil},
		{"host.1", "", nil},
		{label + "a.example", "", nil},
		{"a" + long, "", nil},
		{strings.Repeat("a.", 5000), "", nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := newTally()
			c := client(t, memory(t, func(q *dnstest.Query) {
				asked.add(q)
				good(q)
			}))
			if test.want != nil {
				found(t, c, "ip6", test.name, test.want...)
			} else if err := fails(t, c, "ip6", test.name); !err.IsNotFound || !strings.HasPrefix(err.Err, "n") {
				t.Errorf("%q: %v", test.name, err)
			}
			var want []string
			if test.asked != "" {
				want = []string{"udp " + test.asked + " AAAA"}
			}
			if got := asked.take(); !slices.Equal(got, want) {
				t.Errorf("%q is asked for by %q, want %q", test.name, got, want)
			}
		})
	}
}

// Localhost has the addresses of the families that are wanted.
func TestLocalhost(t *testing.T) {
	c := client(t, memory(t, good))
	found(t, c, "ip", "localhost", "::1", "127.0.0.1")
	found(t, c, "ip4", "localhost", "127.0.0.1")
}

// Names under .local are asked for where the network has them in its DNS.
func TestLocalNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, good)
		cfg.Local = true
		found(t, client(t, cfg), "ip6", "printer.local", "2001:db8::1")
	})
}

// A network that is none is refused.
func TestUnknownNetworks(t *testing.T) {
	c := client(t, memory(t, good))
	for _, network := range []string{"", "tcp", "ip5", "IP"} {
		_, err := c.LookupNetIP(t.Context(), network, "host.example")
		var unknown net.UnknownNetworkError
		if !errors.As(err, &unknown) {
			t.Errorf("network %q: %v", network, err)
		}
	}
}

// Whatever a server sends, over UDP or a stream, is an answer or an error.
func FuzzReplies(f *testing.F) {
	q := new(dns.Msg).SetQuestion("host.example.", dns.TypeAAAA)
	m := new(dns.Msg).SetReply(q)
	add := func() {
		wire, err := m.Pack()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(wire[2:])
	}
	add()
	m.Answer = dnstest.Records(f, "host.example.", "@ 60 CNAME b.example.", "b.example. 60 AAAA 2001:db8::1", "@ 60 A 192.0.2.1")
	add()
	m.Compress = true
	add()
	m.SetEdns0(1232, false)
	m.Rcode = dns.RcodeBadVers
	add()
	m.Answer, m.Rcode = dnstest.Records(f, "host.example.", "@ 60 CNAME @"), dns.RcodeSuccess
	add()
	m.Answer, m.Ns = nil, dnstest.Records(f, "example.", "@ 60 SOA ns host 1 2 3 4 5")
	add()
	f.Fuzz(func(t *testing.T, message []byte) {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, memory(t, func(q *dnstest.Query) { q.Send(append(slices.Clone(q.Wire[:2]), message...)) }))
			addrs, err := c.LookupNetIP(t.Context(), "ip6", "host.example")
			if (err == nil) != (len(addrs) > 0) || len(addrs) > 512 {
				t.Errorf("%v, %v", addrs, err)
			}
			for _, a := range addrs {
				if !a.Is6() {
					t.Errorf("%v is not IPv6", a)
				}
			}
			var dns *net.DNSError
			if err != nil && !errors.As(err, &dns) {
				t.Errorf("the error is a %T", err)
			}
		})
	})
}
