package dnsclient_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/dnsclient"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what must not take long, on however slow a machine.
const patience = 2 * time.Minute

// memory is a configuration for servers in memory, one for each handler.
func memory(t testing.TB, handlers ...dnstest.Handler) dnsclient.Config {
	cfg := dnsclient.Config{Transport: dnsclient.UDP, CacheSize: 100}
	for i, h := range handlers {
		tcp := dnstest.Pipe(t, "tcp", h)
		cfg.Servers = append(cfg.Servers, dnsclient.Server{
			Name:   string(rune('a'+i)) + ".example:53",
			Packet: dnstest.Pipe(t, "udp", h),
			Stream: through(tcp),
		})
	}
	return cfg
}

func through(dial func(context.Context) (net.Conn, error)) func(context.Context, dnsclient.Upgrade) (net.Conn, error) {
	return func(ctx context.Context, upgrade dnsclient.Upgrade) (net.Conn, error) {
		conn, err := dial(ctx)
		if err != nil {
			return nil, err
		}
		return upgrade(ctx, conn)
	}
}

func client(t testing.TB, cfg dnsclient.Config) *dnsclient.Client {
	t.Helper()
	c, err := dnsclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// lookUp looks a name up and gives the addresses as texts.
func lookUp(ctx context.Context, c *dnsclient.Client, network, host string) ([]string, error) {
	addrs, err := c.LookupNetIP(ctx, network, host)
	return texts(addrs), err
}

func texts(addrs []netip.Addr) []string {
	var list []string
	for _, a := range addrs {
		list = append(list, a.String())
	}
	return list
}

// found looks a name up and checks the addresses.
func found(t *testing.T, c *dnsclient.Client, network, host string, want ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := lookUp(ctx, c, network, host)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("LookupNetIP(%q, %q) = %v, %v; want %v", network, host, got, err, want)
	}
}

// fails looks a name up and returns the error, which has to be a net.DNSError with the name.
func fails(t *testing.T, c *dnsclient.Client, network, host string) *net.DNSError {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	got, err := lookUp(ctx, c, network, host)
	var dns *net.DNSError
	if !errors.As(err, &dns) || got != nil {
		t.Fatalf("LookupNetIP(%q, %q) = %v, %v; want a net.DNSError", network, host, got, err)
	}
	if dns.Name != host {
		t.Errorf("the error of %q names %q", host, dns.Name)
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("the error %v is that of the context, which goes on", err)
	}
	return dns
}

// A tally counts queries by transport, name and type.
type tally struct{ ch chan string }

func newTally() *tally { return &tally{make(chan string, 1000)} }

func (c *tally) add(q *dnstest.Query) { c.ch <- q.Transport + " " + q.Name() + " " + q.Type() }

func (c *tally) take() []string {
	var list []string
	for {
		select {
		case s := <-c.ch:
			list = append(list, s)
		default:
			slices.Sort(list)
			return list
		}
	}
}
