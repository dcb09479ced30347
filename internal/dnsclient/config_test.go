package dnsclient_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
	"github.com/epctl/endpoint/trace"
)

// What can't work is refused when a client is made.
func TestConfigurationsThatCanNotWork(t *testing.T) {
	server := []dnsclient.Server{{Name: "a", URL: "https://dns.example/dns-query"}}
	for _, test := range []struct {
		name    string
		cfg     dnsclient.Config
		message string
	}{
		{"no servers", dnsclient.Config{Transport: dnsclient.UDP}, "no servers"},
		{"no transport", dnsclient.Config{Servers: server}, `no transport ""`},
		{"another transport", dnsclient.Config{Servers: server, Transport: "quic"}, `no transport "quic"`},
		{"no URL", dnsclient.Config{Servers: []dnsclient.Server{{}}, Transport: dnsclient.HTTPS}, "no https URL"},
		{"another scheme", dnsclient.Config{Servers: []dnsclient.Server{{URL: "http://a"}}, Transport: dnsclient.HTTPS}, "no https URL"},
		{"a broken URL", dnsclient.Config{Servers: []dnsclient.Server{{URL: "https://[a"}}, Transport: dnsclient.HTTPS}, "missing ']'"},
		{"right", dnsclient.Config{Servers: server, Transport: dnsclient.HTTPS}, ""},
	} {
		_, err := dnsclient.New(test.cfg)
		if (err == nil) != (test.message == "") || err != nil && !strings.Contains(err.Error(), test.message) {
			t.Errorf("%s: %v, want %q", test.name, err, test.message)
		}
	}
}

// The trace has each look-up, and each try that failed.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, memory(t, silent, func(q *dnstest.Query) { q.Refuse(dns.RcodeRefused) }, good))
		var events []string
		ctx := trace.With(t.Context(), func(e trace.Event) {
			line := string(e.Kind) + " " + e.Layer + " " + e.Network + " " + e.Host + " " + e.Detail
			if e.Err != nil {
				line += " failed"
			}
			events = append(events, strings.TrimSpace(line))
		})
		if _, err := c.LookupNetIP(ctx, "ip6", "Host.example"); err != nil {
			t.Error(err)
		}
		if _, err := c.LookupNetIP(ctx, "ip4", "printer.local"); err == nil {
			t.Error("printer.local is found")
		}
		want := []string{
			"resolve-start dns ip6 Host.example",
			"warning dns  host.example. AAAA record from a.example:53: no answer in 2s failed",
			"warning dns  host.example. AAAA record from b.example:53: the server answers REFUSED failed",
			"resolve-done dns ip6 Host.example",
		}
		if got := strings.Join(events, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("the trace is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
		}
	})
}

// A time limit of the way to the server is not taken for that of the caller.
func TestForeignTimeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := memory(t, good)
		cfg.Transport = dnsclient.TCP
		cfg.Servers[0].Stream = through(func(context.Context) (net.Conn, error) { return nil, context.DeadlineExceeded })
		err := fails(t, client(t, cfg), "ip6", "host.example")
		if !err.IsTimeout || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	})
}
