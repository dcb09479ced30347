package tls_test

import (
	"context"
	stdtls "crypto/tls"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tls"
	"github.com/epctl/endpoint/registry"
)

// A side is a client and a listener, ours or crypto/tls's by hand over package net.
type side struct {
	dial   func() (net.Conn, error)
	ln     net.Listener
	dialTo func(net.Listener) func() (net.Conn, error)
}

// sides are both, with the same certificate and no session cache.
func sides(tb testing.TB) (ours, theirs side) {
	cert, key, ca := certtest.WritePair(tb, "127.0.0.1")
	for _, s := range []*side{&ours, &theirs} {
		s.ln = map[*side]func(testing.TB, string, string) net.Listener{&ours: listen, &theirs: listenByHand}[s](tb, cert, key)
		s.dialTo = func(ln net.Listener) func() (net.Conn, error) {
			return map[*side]func(testing.TB, string, net.Addr) func() (net.Conn, error){&ours: dialer, &theirs: dialerByHand}[s](tb, ca, ln.Addr())
		}
		s.dial = s.dialTo(s.ln)
		tb.Cleanup(func() { _ = s.ln.Close() })
	}
	return ours, theirs
}

func plugins() *registry.Registry { return registry.Must(registry.New(tcp.Plugin, tls.Plugin)) }

func listen(tb testing.TB, cert, key string) net.Listener {
	server, err := plugins().NewServer(fmt.Sprintf("tls:endpoint={tcp:port=0:interface=127.0.0.1}:certificate=[%s]:privateKey=[%s]", cert, key))
	if err != nil {
		tb.Fatal(err)
	}
	ln, err := server.Listen(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return ln
}

func dialer(tb testing.TB, ca string, addr net.Addr) func() (net.Conn, error) {
	client, err := plugins().NewClient(fmt.Sprintf("tls:endpoint={tcp:127.0.0.1:%d}:trustRoots=[%s]:sessionCache=0", addr.(*net.TCPAddr).Port, ca))
	if err != nil {
		tb.Fatal(err)
	}
	ctx := context.Background()
	return func() (net.Conn, error) { return client.Dial(ctx) }
}

func listenByHand(tb testing.TB, cert, key string) net.Listener {
	pair, err := stdtls.LoadX509KeyPair(cert, key)
	if err != nil {
		tb.Fatal(err)
	}
	inner, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	return handMade{inner, &stdtls.Config{Certificates: []stdtls.Certificate{pair}}}
}

// dialerByHand is what a careful program does: the handshake has a deadline, as the dial has.
func dialerByHand(tb testing.TB, ca string, addr net.Addr) func() (net.Conn, error) {
	config := &stdtls.Config{RootCAs: poolOf(tb, ca), ServerName: "127.0.0.1"}
	d := &net.Dialer{Timeout: 30 * time.Second}
	ctx := context.Background()
	return func() (net.Conn, error) {
		conn, err := d.DialContext(ctx, "tcp4", addr.String())
		if err != nil {
			return nil, err
		}
		within, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		c := stdtls.Client(conn, config)
		return c, c.HandshakeContext(within)
	}
}

// handMade shakes hands in the goroutine of Accept: as many as there are callers, one a client.
type handMade struct {
	net.Listener
	config *stdtls.Config
}

func (h handMade) Accept() (net.Conn, error) {
	conn, err := h.Listener.Accept()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c := stdtls.Server(conn, h.config)
	return c, c.HandshakeContext(ctx)
}

// connect makes a connection and closes it.
func (s side) connect(tb testing.TB) (client, server net.Conn) {
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, err := s.ln.Accept()
		if err != nil {
			tb.Error(err)
		}
		accepted <- conn
	}()
	client, err := s.dial()
	if err != nil {
		panic(err) // not always in the goroutine of the test
	}
	return client, <-accepted
}

func (s side) handshake(tb testing.TB) {
	client, server := s.connect(tb)
	_ = server.Close()
	_ = client.Close()
}

// byTurns runs both one after the other, b.N times each, and reports the medians and their ratio: ours by theirs.
func byTurns(b *testing.B, ours, theirs func()) {
	b.Helper()
	var took [2][]time.Duration
	for i := range b.N {
		for j := range 2 {
			which := (i + j) % 2
			begun := time.Now()
			[]func(){ours, theirs}[which]()
			took[which] = append(took[which], time.Since(begun))
		}
	}
	var medians [2]float64
	for which := range took {
		slices.Sort(took[which])
		medians[which] = float64(took[which][len(took[which])/2])
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(medians[0], "ours-ns")
	b.ReportMetric(medians[1], "theirs-ns")
	b.ReportMetric(medians[1]/medians[0], "speed-ratio")
}

// One handshake after the other: how long each takes.
func BenchmarkHandshake(b *testing.B) {
	ours, theirs := sides(b)
	byTurns(b, func() { ours.handshake(b) }, func() { theirs.handshake(b) })
}

// Many clients at once: how many handshakes there are in a second.
func BenchmarkHandshakes(b *testing.B) {
	ours, theirs := sides(b)
	byTurns(b, func() { ours.handshakes(b) }, func() { theirs.handshakes(b) })
}

const atOnce, handshakesATurn = 8, 64

func (s side) handshakes(b *testing.B) {
	var clients sync.WaitGroup
	for range atOnce {
		clients.Go(func() {
			for range handshakesATurn / atOnce {
				s.handshake(b)
			}
		})
	}
	clients.Wait()
}

// 16 MiB a turn.
func BenchmarkThroughput(b *testing.B) {
	ours, theirs := sides(b)
	byTurns(b, ours.stream(b, 16<<20), theirs.stream(b, 16<<20))
}

func (s side) stream(b *testing.B, size int64) func() {
	client, server := s.connect(b)
	b.Cleanup(func() { _ = client.Close(); _ = server.Close() })
	chunk := make([]byte, 64<<10)
	return func() {
		go func() {
			for sent := int64(0); sent < size; sent += int64(len(chunk)) {
				if _, err := client.Write(chunk); err != nil {
					b.Error(err)
					return
				}
			}
		}()
		if _, err := io.CopyN(io.Discard, server, size); err != nil {
			b.Fatal(err)
		}
	}
}

// A connection costs, on each side, at most four allocations more than one of crypto/tls by hand.
func TestAConnectionAllocatesLittleMoreThanByHand(t *testing.T) {
	ours, theirs := sides(t)
	count := func(s side) float64 { return testing.AllocsPerRun(100, func() { s.handshake(t) }) }
	base := count(theirs)
	for name, s := range map[string]side{
		"client": {dial: ours.dialTo(theirs.ln), ln: theirs.ln},
		"server": {dial: theirs.dialTo(ours.ln), ln: ours.ln},
	} {
		if n := count(s); n > base+4 {
			t.Errorf("a connection allocates %v times with the %s of ours, by hand %v times", n, name, base)
		}
	}
}
