package lookup_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/lookup"
)

func addrs(texts ...string) (list []netip.Addr) {
	for _, text := range texts {
		list = append(list, netip.MustParseAddr(text))
	}
	return list
}

func TestFamilies(t *testing.T) {
	all := addrs("192.0.2.1", "2001:db8::1", "::ffff:192.0.2.2", "192.0.2.1", "fe80::1%eth0", "fe80::1%eth1", "192.0.2.2")
	for network, want := range map[string][]netip.Addr{
		"ip":  addrs("192.0.2.1", "2001:db8::1", "192.0.2.2", "fe80::1%eth0", "fe80::1%eth1"),
		"ip4": addrs("192.0.2.1", "192.0.2.2"),
		"ip6": addrs("2001:db8::1", "fe80::1%eth0", "fe80::1%eth1"),
	} {
		f, err := lookup.FamiliesOf(network)
		if got := f.Select(all); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v; want %v", network, got, err, want)
		}
	}
	for _, network := range []string{"", "tcp", "ip7", "IP6"} {
		_, err := lookup.FamiliesOf(network)
		var unknown net.UnknownNetworkError
		if !errors.As(err, &unknown) {
			t.Errorf("%q: %v", network, err)
		}
	}
}

// HE-10
func TestCanonical(t *testing.T) {
	label := strings.Repeat("a", 63)
	longest := strings.Repeat(label+".", 3) + label[:61]
	for host, want := range map[string]string{
		"example.com": "example.com", "Example.COM.": "example.com", "a": "a", "a-b_c.d0": "a-b_c.d0", "-": "-",
		longest: longest, longest + ".": longest,
		"": "", ".": "", "..": "", "a..b": "", ".a": "", "a..": "", "a b": "", "a\n": "", "ä": "", "\u212a.example": "", "a%b": "",
		label + "a": "", longest + "a": "",
		"1": "", "1.2.3.4": "", "a.1": "", "1.a": "1.a", "::1": "", "fe80::1%eth0": "", "[::1]": "", "a:80": "", "a/b": "",
	} {
		if got, ok := lookup.Canonical(host); got != want && ok || ok != (want != "") {
			t.Errorf("Canonical(%q) = %q, %v; want %q", host, got, ok, want)
		}
	}
}

func TestErrors(t *testing.T) {
	v6, _ := lookup.FamiliesOf("ip6")
	v4, _ := lookup.FamiliesOf("ip4")
	both, _ := lookup.FamiliesOf("ip")
	cause := &fs.PathError{Op: "open", Path: "/x", Err: os.ErrNotExist}
	for _, test := range []struct {
		err  error
		want net.DNSError
	}{
		{lookup.NoSuchHost("a"), net.DNSError{Err: "no such host", Name: "a", IsNotFound: true}},
		{lookup.NoAddress("a", v6), net.DNSError{Err: "the name has no IPv6 address", Name: "a", IsNotFound: true}},
		{lookup.NoAddress("a", v4), net.DNSError{Err: "the name has no IPv4 address", Name: "a", IsNotFound: true}},
		{lookup.NoAddress("a", both), net.DNSError{Err: "the name has no IP address", Name: "a", IsNotFound: true}},
		{lookup.Failed("a", cause), net.DNSError{Err: "open /x: file does not exist", Name: "a"}},
		{lookup.Failed("a", os.ErrDeadlineExceeded), net.DNSError{Err: "i/o timeout", Name: "a", IsTimeout: true, IsTemporary: true}},
	} {
		var got *net.DNSError
		if !errors.As(test.err, &got) {
			t.Fatalf("%v is a %T", test.err, test.err)
		}
		flat := *got
		flat.UnwrapErr = nil
		if !reflect.DeepEqual(flat, test.want) {
			t.Errorf("%+v, want %+v", flat, test.want)
		}
		if lookup.IsNotFound(test.err) != test.want.IsNotFound {
			t.Errorf("IsNotFound(%v) is wrong", test.err)
		}
	}
	if !errors.Is(lookup.Failed("a", cause), os.ErrNotExist) {
		t.Error("the cause is not to be found")
	}
	if !lookup.IsNotFound(&net.AddrError{}) || lookup.IsNotFound(errors.New("x")) || lookup.IsNotFound(nil) {
		t.Error("IsNotFound is wrong")
	}
}

func TestEnded(t *testing.T) {
	if err := lookup.Ended(t.Context(), "a"); err != nil {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("reason")
	cancel(reason)
	var dns *net.DNSError
	if err := lookup.Ended(ctx, "a"); !errors.Is(err, context.Canceled) || !errors.Is(err, reason) || !errors.As(err, &dns) || dns.IsTimeout {
		t.Errorf("%v", err)
	}
	late, cancelLate := context.WithTimeout(t.Context(), 0)
	defer cancelLate()
	if err := lookup.Ended(late, "a"); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &dns) || !dns.IsTimeout {
		t.Errorf("%v", err)
	}
}

func TestKnown(t *testing.T) {
	names := map[string][]netip.Addr{"a.example": addrs("192.0.2.1", "2001:db8::1"), "b.example": addrs("192.0.2.2")}
	table := func(name string) ([]netip.Addr, bool) {
		list, ok := names[name]
		return list, ok
	}
	for _, test := range []struct {
		network, host string
		want          []netip.Addr
		message       string
	}{
		{"ip", "A.example.", addrs("192.0.2.1", "2001:db8::1"), ""},
		{"ip6", "a.example", addrs("2001:db8::1"), ""},
		{"ip4", "b.example", addrs("192.0.2.2"), ""},
		{"ip6", "b.example", nil, "lookup b.example: the name has no IPv6 address"},
		{"ip", "c.example", nil, "lookup c.example: no such host"},
		{"ip", "c..example", nil, "lookup c..example: no such host"},
		{"udp", "a.example", nil, "unknown network udp"},
	} {
		got, err := lookup.Known(t.Context(), test.network, test.host, table)
		if !slices.Equal(got, test.want) || (err == nil) != (test.message == "") || err != nil && err.Error() != test.message {
			t.Errorf("%s %s: %v, %v; want %v, %s", test.network, test.host, got, err, test.want, test.message)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lookup.Known(ctx, "ip", "a.example", table); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}
