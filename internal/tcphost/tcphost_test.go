package tcphost_test

import (
	"net/netip"
	"testing"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcphost"
	"github.com/epctl/endpoint/internal/tcpsock"
)

func spec(change func(*tcphost.Spec)) tcphost.Spec {
	s := tcphost.Spec{
		Host: hostname.Host{Name: "db.example"}, Port: 80,
		Dial: tcpsock.DialSpec{Options: sockopt.DefaultDial()},
	}
	change(&s)
	return s
}

func TestTheServerIsNamedAsItIsDialed(t *testing.T) {
	for host, want := range map[string]string{
		"db.example": "db.example", "DB.Example.": "db.example", "bücher.example": "xn--bcher-kva.example", "192.0.2.1": "192.0.2.1",
		"2001:DB8:0::1": "2001:db8::1", "fe80::1%eth0": "fe80::1",
	} {
		parsed, err := hostname.Parse(host)
		if err != nil {
			t.Fatal(err)
		}
		c, err := tcphost.New(spec(func(s *tcphost.Spec) { s.Host = parsed }))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.ServerName(); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}

func TestOptionsHaveToFitTheFamiliesThatAreLeft(t *testing.T) {
	tos, size := uint8(16), 0
	four, six := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("2001:db8::1")
	for name, tc := range map[string]struct {
		change func(*tcphost.Spec)
		want   string
	}{
		"tos, both families":               {func(s *tcphost.Spec) { s.Dial.Options.TOS = &tos }, ""},
		"tos, bound to both":               {func(s *tcphost.Spec) { s.Dial.Options.TOS, s.Race.Local = &tos, []netip.Addr{four, six} }, ""},
		"tos, bound to IPv6":               {func(s *tcphost.Spec) { s.Dial.Options.TOS, s.Race.Local = &tos, []netip.Addr{six} }, "is for IPv4; the same for IPv6 is trafficClass"},
		"one fault is told once":           {func(s *tcphost.Spec) { s.Dial.Options.RcvBuf, s.Race.Local = &size, []netip.Addr{four, six} }, "must be between 1 byte and 1 GiB"},
		"flow label, bound to IPv4":        {func(s *tcphost.Spec) { s.Dial.FlowLabel, s.Race.Local = 1, []netip.Addr{four} }, "is for IPv6 only"},
		"IPv4 literal, only IPv6":          {func(s *tcphost.Spec) { s.Host.Addr, s.Race.Family = four, happyeyeballs.IPv6Only }, "192.0.2.1 is an IPv4 address; this endpoint is IPv6 only"},
		"IPv4 literal, bound to the other": {func(s *tcphost.Spec) { s.Host.Addr, s.Race.Local = four, []netip.Addr{six} }, "192.0.2.1 and 2001:db8::1 are of different families"},
	} {
		_, err := tcphost.New(spec(tc.change))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
