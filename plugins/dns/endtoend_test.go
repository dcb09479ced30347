package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	miekg "github.com/miekg/dns"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

// listeners listen on one port of both loopback addresses, and count connections by family.
func listeners(t *testing.T) (port uint16, four, six *atomic.Int32) {
	t.Helper()
	four, six = new(atomic.Int32), new(atomic.Int32)
	for range 20 {
		l4, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port = l4.Addr().(*net.TCPAddr).AddrPort().Port()
		l6, err := net.Listen("tcp", fmt.Sprintf("[::1]:%d", port))
		if err != nil {
			_ = l4.Close()
			continue
		}
		count(t, l4, four)
		count(t, l6, six)
		return port, four, six
	}
	t.Fatal("no port is free on both loopback addresses")
	return 0, nil, nil
}

func count(t *testing.T, l net.Listener, n *atomic.Int32) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n.Add(1)
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _ = l.Close(); <-done })
}

// dial connects and returns the address of the peer.
func dial(t *testing.T, format string, args ...any) (string, error) {
	t.Helper()
	s := fmt.Sprintf(format, args...)
	client, err := plugins.NewClient(s)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := client.Dial(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	return conn.RemoteAddr().(*net.TCPAddr).IP.String(), nil
}

// A host by name is reached by whatever resolver its endpoint is given.
func TestHostnameByResolvers(t *testing.T) {
	port, four, six := listeners(t)
	s := dnstest.Start(t, func(q *dnstest.Query) {
		switch name := strings.ToLower(q.Name()); {
		case name == "db.example.":
			loopback(q)
		case name == "four.example." && q.Type() == "A":
			q.Answer("@ 60 A 127.0.0.1")
		case name == "alias.example.":
			q.Answer("@ 60 CNAME db.example.")
		case name == "four.example.":
			q.Nothing(miekg.RcodeSuccess, "60")
		case name == "half.example." && q.Type() == "A":
			q.Refuse(miekg.RcodeServerFailure)
		case name == "half.example.":
			q.Answer("@ 60 AAAA ::1")
		default:
			q.Nothing(miekg.RcodeNameError, "60")
		}
	})
	file := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(file, []byte("127.0.0.1 db.example file.example\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	udp := fmt.Sprintf("dns:127.0.0.1:%d"+steady, s.Addr.Port())
	secure := fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s"+steady, s.TLS.Port(), grammar.Quote(s.RootsFile))
	web := fmt.Sprintf("dns:127.0.0.1:%d:https:trustRoots=%s"+steady, s.HTTPS.Port(), grammar.Quote(s.RootsFile))
	hosts := "hosts:" + grammar.Quote(file)
	for _, test := range []struct{ host, resolver, want string }{
		{"db.example", "static:db.example=[127.0.0.1,::1]", "::1"},
		{"db.example", "static:db.example=127.0.0.1", "127.0.0.1"},
		{"db.example", udp, "::1"},
		{"db.example", udp + ":mixCase=yes", "::1"},
		{"db.example", secure, "::1"},
		{"db.example", web, "::1"},
		{"alias.example", udp, "::1"},
		{"four.example", udp, "127.0.0.1"}, // HE-03: NODATA for AAAA
		{"half.example", udp, "::1"},       // HE-03: A fails
		{"file.example", hosts, "127.0.0.1"},
		{"db.example", "chain:{static:other.example=127.0.0.1}:{" + hosts + "}:{" + udp + "}", "127.0.0.1"},
		{"four.example", "chain:{static:other.example=127.0.0.1}:{" + hosts + "}:{" + udp + "}", "127.0.0.1"},
		{"alias.example", "chain:{" + hosts + "}:{" + secure + "}", "::1"},
	} {
		t.Run(test.host+" by "+test.resolver, func(t *testing.T) {
			for _, more := range []string{"", ":memory=no"} {
				// However slow the machine, the answer for IPv6 is waited for.
				got, err := dial(t, "hostname:host=%s:port=%d:timeout=0:resolutionDelay=60:attemptDelay=2:resolver={%s}%s",
					test.host, port, test.resolver, more)
				if got != test.want || err != nil {
					t.Errorf("connected to %s, %v; want %s", got, err, test.want)
				}
			}
		})
	}
	if four.Load() == 0 || six.Load() == 0 {
		t.Errorf("%d connections over IPv4, %d over IPv6", four.Load(), six.Load())
	}
}

// What a resolver says is in the error of the dial, for each family.
func TestHostnameByResolversThatFail(t *testing.T) {
	s := dnstest.Start(t, func(q *dnstest.Query) {
		if q.Name() == "broken.example." {
			q.Refuse(miekg.RcodeServerFailure)
			return
		}
		q.Nothing(miekg.RcodeNameError, "60")
	})
	udp := fmt.Sprintf("dns:127.0.0.1:%d"+steady, s.Addr.Port())
	for _, test := range []struct {
		host, resolver string
		notFound       bool
		message        string
	}{
		{"gone.example", udp, true, "no such host"},
		{"gone.example", "chain:{static:a=127.0.0.1}:{" + udp + "}", true, "no such host"},
		{"broken.example", udp, false, "SERVFAIL"},
		{"broken.example", "chain:{static:a=127.0.0.1}:{" + udp + "}", false, "SERVFAIL"},
	} {
		_, err := dial(t, "hostname:host=%s:port=1:resolver={%s}", test.host, test.resolver)
		var d *net.DNSError
		if !errors.As(err, &d) || d.IsNotFound != test.notFound || strings.Count(err.Error(), test.message) != 2 {
			t.Errorf("%s by %s: %v", test.host, test.resolver, err)
		}
	}
}
