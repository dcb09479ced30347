package dns_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
	"github.com/epctl/endpoint/plugins/chain"
	"github.com/epctl/endpoint/plugins/dns"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/hosts"
	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	registrytest.Run(t, dns.Plugin, registrytest.Beside(tcp.Plugin, tcp6.Plugin))
}

var plugins = registry.Must(registry.New(
	dns.Plugin, chain.Plugin, static.Plugin, hosts.Plugin, hostname.Plugin, tcp.Plugin, udp.Plugin))

// patience bounds what must not take long, on however slow a machine.
const patience = 2 * time.Minute

func resolver(t *testing.T, format string, args ...any) registry.Resolver {
	t.Helper()
	r, err := plugins.NewResolver(fmt.Sprintf(format, args...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func lookUp(t *testing.T, r registry.Resolver, network, host string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	addrs, err := r.LookupNetIP(ctx, network, host)
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return strings.Join(list, " "), err
}

func found(t *testing.T, r registry.Resolver, network, host, want string) {
	t.Helper()
	if got, err := lookUp(t, r, network, host); got != want || err != nil {
		t.Errorf("LookupNetIP(%q, %q) = %s, %v; want %s", network, host, got, err, want)
	}
}

// loopback answers each name with the loopback addresses.
func loopback(q *dnstest.Query) {
	if q.Type() == "A" {
		q.Answer("@ 60 A 127.0.0.1")
		return
	}
	q.Answer("@ 60 AAAA ::1")
}

// steady is what a test needs on a slow machine: time, and nothing that goes on after a look-up.
const steady = ":timeout=60:attempts=1:idle=0"

func TestTransports(t *testing.T) {
	s := dnstest.Start(t, loopback)
	roots := grammar.Quote(s.RootsFile)
	dir := filepath.Join(t.TempDir(), "roots")
	copyInto(t, dir, s.RootsFile)
	for _, text := range []string{
		fmt.Sprintf("dns:127.0.0.1:%d", s.Addr.Port()),
		fmt.Sprintf("dns:127.0.0.1:%d:mixCase=yes:cache=0", s.Addr.Port()),
		fmt.Sprintf("dns:127.0.0.1:%d:tcp", s.Addr.Port()),
		fmt.Sprintf("dns:[::ffff:127.0.0.1]:%d", s.Addr.Port()),
		fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s", s.TLS.Port(), roots),
		fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s", s.TLS.Port(), grammar.Quote(dir)),
		fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s:serverName=DNS.example.", s.TLS.Port(), roots),
		fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s:serverName=[::1]", s.TLS.Port(), roots),
		fmt.Sprintf("dns:127.0.0.1:%d:https:trustRoots=%s", s.HTTPS.Port(), roots),
		fmt.Sprintf("dns:127.0.0.1:%d:https:trustRoots=%s:serverName=dns.example", s.HTTPS.Port(), roots),
		fmt.Sprintf("dns:transport=tcp:via={tcp:127.0.0.1:%d}", s.Addr.Port()),
		fmt.Sprintf("dns:transport=tls:via={tcp:127.0.0.1:%d}:trustRoots=%s:serverName=dns.example", s.TLS.Port(), roots),
		fmt.Sprintf("dns:transport=tls:via={hostname:dns.example:%d:resolver={static:dns.example=127.0.0.1}}:trustRoots=%s:serverName=dns.example", s.TLS.Port(), roots),
		fmt.Sprintf("dns:transport=https:via={tcp:127.0.0.1:%d}:trustRoots=%s:serverName=dns.example", s.HTTPS.Port(), roots),
		fmt.Sprintf("dns:viaPacket={udp:127.0.0.1:%d}", s.Addr.Port()),
		fmt.Sprintf("dns:viaPacket={udp:127.0.0.1:%d}:via={tcp:127.0.0.1:%d}", s.Addr.Port(), s.Addr.Port()),
	} {
		t.Run(text, func(t *testing.T) {
			r := resolver(t, "%s", text+steady)
			found(t, r, "ip", "host.example", "::1 127.0.0.1")
			found(t, r, "ip6", "host.example", "::1")
			found(t, r, "ip4", "localhost", "127.0.0.1")
		})
	}
}

func copyInto(t *testing.T, dir, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"a.pem": []byte("no certificate\n"), "b.pem": text} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// The path is the one that is configured, and the host that of the server.
func TestHTTPSPath(t *testing.T) {
	asked := make(chan string, 10)
	s := dnstest.Start(t, func(q *dnstest.Query) {
		asked <- q.Host + q.Path
		loopback(q)
	})
	roots := grammar.Quote(s.RootsFile)
	for options, want := range map[string]string{
		":127.0.0.1":                                       fmt.Sprintf("127.0.0.1:%d/dns-query", s.HTTPS.Port()),
		":127.0.0.1:serverName=dns.example":                fmt.Sprintf("dns.example:%d/dns-query", s.HTTPS.Port()),
		":127.0.0.1:path=/q/1":                             fmt.Sprintf("127.0.0.1:%d/q/1", s.HTTPS.Port()),
		":via={tcp:127.0.0.1:PORT}:serverName=dns.example": "dns.example/dns-query",
	} {
		port := fmt.Sprint(s.HTTPS.Port())
		if !strings.Contains(options, "PORT") {
			options += ":port=" + port
		}
		r := resolver(t, "dns%s:transport=https:trustRoots=%s"+steady, strings.ReplaceAll(options, "PORT", port), roots)
		found(t, r, "ip6", "host.example", "::1")
		if got := <-asked; got != want {
			t.Errorf("%s asks at %s, want %s", options, got, want)
		}
	}
}

// Servers on both families, the first of which is not there.
func TestSeveralServers(t *testing.T) {
	s := dnstest.StartOn(t, netip.IPv6Loopback(), loopback)
	r := resolver(t, "dns:server=[127.0.0.1,::1]:port=%d:timeout=60:idle=0", s.Addr.Port())
	found(t, r, "ip6", "host.example", "::1")
	found(t, r, "ip6", "other.example", "::1")
}

// What fails says why, with the server and the cause.
func TestErrors(t *testing.T) {
	s := dnstest.Start(t, func(q *dnstest.Query) {
		switch {
		case q.Name() == "gone.example.":
			q.Nothing(3, "60")
		case q.Name() == "broken.example.":
			q.Refuse(2)
		default:
			q.Nothing(0, "60")
		}
	})
	for _, test := range []struct {
		text, host string
		notFound   bool
		message    string
	}{
		{fmt.Sprintf("dns:127.0.0.1:%d", s.Addr.Port()), "gone.example", true, "lookup gone.example: no such host"},
		{fmt.Sprintf("dns:127.0.0.1:%d", s.Addr.Port()), "bare.example", true, "lookup bare.example: the name has no IPv6 address"},
		{fmt.Sprintf("dns:127.0.0.1:%d", s.Addr.Port()), "broken.example", false,
			fmt.Sprintf("lookup broken.example on 127.0.0.1:%d: the server answers SERVFAIL", s.Addr.Port())},
		{fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=[/nowhere/roots]", s.TLS.Port()), "a.example", false, "/nowhere/roots"},
		{fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s", s.TLS.Port(), grammar.Quote(t.TempDir())), "a.example", false, "has no file with a certificate in it"},
		{fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s:serverName=other.example", s.TLS.Port(), grammar.Quote(s.RootsFile)), "a.example", false,
			"certificate is valid for dns.example, not other.example"},
	} {
		got, err := lookUp(t, resolver(t, "%s", test.text+steady), "ip6", test.host)
		var d *net.DNSError
		if !errors.As(err, &d) || d.IsNotFound != test.notFound || !strings.Contains(err.Error(), test.message) {
			t.Errorf("%s: %s, %v; want %q", test.text, got, err, test.message)
		}
		var verification *tls.CertificateVerificationError
		if want := strings.Contains(test.text, "other.example"); errors.As(err, &verification) != want {
			t.Errorf("%s: %v is a verification that failed: %v", test.text, err, !want)
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, test := range []struct{ s, at, fault string }{
		{"dns", "dns", "server: give the address of a server, or an endpoint that leads to one as via"},
		{"dns:server=0.0.0.0", "0.0.0.0", "0.0.0.0 is no address of a server"},
		{"dns:server=[ff02::fb%eth0]", "[ff02::fb%eth0]", "ff02::fb%eth0 is no address of a server"},
		{"dns:server=[192.0.2.1,255.255.255.255]", "[192.0.2.1,255.255.255.255]", "255.255.255.255 is no address of a server"},
		{"dns:server=[fe80::53]", "[fe80::53]", "fe80::53 is link-local and needs a zone, as in fe80::53%eth0"},
		{"dns:192.0.2.1,192.0.2.1", "192.0.2.1,192.0.2.1", "192.0.2.1 is given twice"},
		{"dns:192.0.2.1:0", "0", "0 is no port of a server"},
		{"dns:192.0.2.1:via={tcp:a:53}:transport=tcp", "{tcp:a:53}", "leads to the server in place of an address"},
		{"dns:192.0.2.1:viaPacket={udp:192.0.2.1:53}", "{udp:192.0.2.1:53}", "leads to the server in place of an address"},
		{"dns:via={tcp:a:53}", "{tcp:a:53}", "is a stream: choose tcp, tls or https, or give a viaPacket for udp"},
		{"dns:viaPacket={udp:192.0.2.1:53}:transport=tcp", "{udp:192.0.2.1:53}", "is for udp"},
		{"dns:via={tcp:a:53}:transport=tcp:port=53", "53", "the endpoint that leads to the server has its port"},
		{"dns:via={tcp:a:853}:transport=tls", "dns", "serverName: is needed with via: nothing else says whose certificate the server must have"},
		{"dns:192.0.2.1:serverName=a", "a", "is for tls and https"},
		{"dns:192.0.2.1:trustRoots=a", "a", "is for tls and https"},
		{"dns:192.0.2.1:853:tls:path=/a", "/a", "is for https"},
		{"dns:192.0.2.1:transport=https:path=a", "a", "is no path of a URL, such as /dns-query"},
		{"dns:192.0.2.1:transport=https:path=[/q{?dns}]", "[/q{?dns}]", "is no path of a URL, such as /dns-query"},
		{"dns:192.0.2.1:853:tls:serverName=a..b", "a..b", "has an empty part between two dots"},
		{"dns:192.0.2.1:attempts=0", "0", "must be at least 1"},
		{"dns:192.0.2.1:timeout=0", "0", "must be more than 0"},
	} {
		_, _, err := plugins.Build(test.s, registry.RoleResolver)
		faults := grammar.All(err)
		if len(faults) != 1 || faults[0].Message != test.fault || test.s[faults[0].Start:faults[0].End] != test.at {
			t.Errorf("%s: %v; want %q at %s", test.s, err, test.fault, test.at)
		}
	}
	_, _, err := plugins.Build("dns:[fe80::53,0.0.0.0]:0:path=x:attempts=0", registry.RoleResolver)
	if n := len(grammar.All(err)); n != 5 {
		t.Errorf("%d faults are told of 5: %v", n, err)
	}
}

// The order of values without a key.
func TestPositionalOrder(t *testing.T) {
	var names []string
	for _, p := range dns.Plugin.Params(registry.RoleResolver) {
		names = append(names, p.Name)
	}
	if want := []string{"server", "port", "transport"}; !slices.Equal(names[:3], want) {
		t.Errorf("%v goes first, want %v", names, want)
	}
}
