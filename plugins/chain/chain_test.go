package chain_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/plugins/chain"
	"github.com/epctl/endpoint/plugins/dns"
	"github.com/epctl/endpoint/plugins/hosts"
	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/plugins/system"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	registrytest.Run(t, chain.Plugin,
		registrytest.Beside(dns.Plugin, hosts.Plugin, static.Plugin, system.Plugin, tcp.Plugin))
}

// A fake is a resolver that says what a test wants, by network.
type fake struct {
	name   string
	answer map[string]any // a string with addresses, an error, or a duration of silence
	asked  *[]string
}

func (f fake) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	*f.asked = append(*f.asked, f.name+" "+network)
	switch a := f.answer[network].(type) {
	case string:
		var addrs []netip.Addr
		for text := range strings.FieldsSeq(a) {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		return addrs, nil
	case error:
		return nil, a
	case time.Duration:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// fakeOptions name a fake of a test.
type fakeOptions struct {
	Name string `ep:"name,required" doc:"which one"`
}

func chainOf(t *testing.T, fakes ...fake) registry.Resolver {
	t.Helper()
	plugin := registry.Plugin{Name: "fake", Doc: "A fake.", Resolver: registry.For(func(o fakeOptions) (registry.Resolver, error) {
		i := slices.IndexFunc(fakes, func(f fake) bool { return f.name == o.Name })
		return fakes[i], nil
	})}
	s := "chain"
	for _, f := range fakes {
		s += ":{fake:" + f.name + "}"
	}
	r, err := registry.Must(registry.New(chain.Plugin, plugin)).NewResolver(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestWhoAnswers(t *testing.T) {
	serverFailure := &net.DNSError{Err: "server misbehaving", Name: "a", Server: "192.0.2.53:53", IsTemporary: true}
	timeout := &net.DNSError{Err: "no answer", Name: "a", IsTimeout: true, IsTemporary: true}
	missing := &fs.PathError{Op: "open", Path: "/x", Err: fs.ErrNotExist}
	otherFamily := &net.AddrError{Err: "no suitable address found", Addr: "a"}
	nothing := map[string]any{}
	both := map[string]any{"ip": "192.0.2.1 ::1", "ip4": "192.0.2.1", "ip6": "::1"}
	only4 := map[string]any{"ip": "192.0.2.2", "ip4": "192.0.2.2"}
	type all = map[string]any
	for _, test := range []struct {
		name      string
		resolvers []map[string]any
		network   string
		want      string
		message   string
		notFound  bool
		asked     string
	}{
		{"the first has it", []all{both, both}, "ip6", "::1", "", false, "a ip6"},
		{"the first does not have it", []all{nothing, both}, "ip6", "::1", "", false, "a ip6, a ip4, b ip6"},
		{"the third has it", []all{nothing, nothing, both}, "ip", "192.0.2.1 ::1", "", false, "a ip, b ip, c ip"},
		{"the first fails", []all{{"ip6": serverFailure}, both}, "ip6", "::1", "", false, "a ip6, b ip6"},
		{"the first can't be read", []all{{"ip6": missing}, both}, "ip6", "::1", "", false, "a ip6, b ip6"},
		{"the first has the other family", []all{only4, both}, "ip6", "", "no such host", true, "a ip6, a ip4"},
		{"the first has the family", []all{only4, both}, "ip4", "192.0.2.2", "", false, "a ip4"},
		{"the first is package net's and has the other family", []all{{"ip6": otherFamily, "ip4": "192.0.2.2"}, both}, "ip6", "", "no suitable address found", true, "a ip6, a ip4"},
		{"the first answers with nothing", []all{{"ip6": ""}, both}, "ip6", "::1", "", false, "a ip6, a ip4, b ip6"},
		{"the first answers with nothing, and has the other family", []all{{"ip6": "", "ip4": "192.0.2.2"}, both}, "ip6", "", "the name has no IPv6 address", true, "a ip6, a ip4"},
		{"the first fails in the other family", []all{{"ip4": serverFailure}, both}, "ip6", "::1", "", false, "a ip6, a ip4, b ip6"},
		{"none has it", []all{nothing, nothing}, "ip", "", "no such host", true, "a ip, b ip"},
		{"one has nothing, one fails", []all{nothing, {"ip": serverFailure}}, "ip", "", "server misbehaving (server 192.0.2.53:53); no such host", false, "a ip, b ip"},
		{"all fail", []all{{"ip": timeout}, {"ip": missing}, {"ip": timeout}}, "ip", "", "no answer; open /x: file does not exist", false, "a ip, b ip, c ip"},
		{"a single one fails", []all{{"ip": serverFailure}}, "ip", "", "server misbehaving", false, "a ip"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked []string
			var fakes []fake
			var errs []error
			for i, answer := range test.resolvers {
				fakes = append(fakes, fake{string(rune('a' + i)), answer, &asked})
				if err, ok := answer[test.network].(error); ok {
					errs = append(errs, err)
				}
			}
			addrs, err := chainOf(t, fakes...).LookupNetIP(t.Context(), test.network, "host")
			var list []string
			for _, a := range addrs {
				list = append(list, a.String())
			}
			if got := strings.Join(list, " "); got != test.want || (err == nil) != (test.message == "") {
				t.Errorf("%s, %v; want %s", got, err, test.want)
			}
			if got := strings.Join(asked, ", "); got != test.asked {
				t.Errorf("asked %s, want %s", got, test.asked)
			}
			if err != nil {
				checkError(t, err, test.message, test.notFound, errs)
			}
		})
	}
}

func checkError(t *testing.T, err error, message string, notFound bool, causes []error) {
	t.Helper()
	var dns *net.DNSError
	if !strings.Contains(err.Error(), message) || errors.As(err, &dns) && dns.IsNotFound != notFound {
		t.Errorf("the error is %v, %+v; want %q", err, dns, message)
	}
	timeout, temporary := false, false
	for _, cause := range causes {
		if !errors.Is(err, cause) {
			t.Errorf("%v is not in the chain of %v", cause, err)
		}
		var d *net.DNSError
		if errors.As(cause, &d) {
			timeout, temporary = timeout || d.IsTimeout, temporary || d.IsTemporary
		}
	}
	if dns != nil && (dns.IsTimeout != timeout || dns.IsTemporary != temporary) {
		t.Errorf("%+v; want timeout %v, temporary %v", dns, timeout, temporary)
	}
}

// The end of the context ends the chain.
func TestContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked []string
		r := chainOf(t, fake{"a", map[string]any{"ip": time.Hour}, &asked}, fake{"b", map[string]any{"ip": "::1"}, &asked})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := r.LookupNetIP(ctx, "ip", "host")
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second || len(asked) != 1 {
			t.Errorf("%v after %v, asked %v", err, time.Since(start), asked)
		}
		if _, err := r.LookupNetIP(ctx, "ip", "host"); !errors.Is(err, context.DeadlineExceeded) || len(asked) != 1 {
			t.Errorf("%v, asked %v", err, asked)
		}
		var unknown net.UnknownNetworkError
		if _, err := r.LookupNetIP(t.Context(), "tcp", "host"); !errors.As(err, &unknown) {
			t.Errorf("%v, want an unknown network", err)
		}
	})
}

// A name that a static resolver has for IPv4 is not looked for elsewhere for IPv6.
func TestTheResolverThatHasANameAnswersForBothFamilies(t *testing.T) {
	r, err := registry.Must(registry.New(chain.Plugin, static.Plugin)).
		NewResolver("chain:{static:a=192.0.2.1}:{static:a=[2001:db8::1]:b=[2001:db8::2]}")
	if err != nil {
		t.Fatal(err)
	}
	if addrs, err := r.LookupNetIP(t.Context(), "ip6", "a"); err == nil {
		t.Errorf("%v, want none", addrs)
	}
	if addrs, err := r.LookupNetIP(t.Context(), "ip6", "b"); err != nil || len(addrs) != 1 {
		t.Errorf("%v, %v", addrs, err)
	}
}
