package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// The benchmarks dial in turn through the engine and through a net.Dialer; "ratio" is the median time of the one through
// that of the other. What is promised: at most 1.1.

func BenchmarkLiteral(b *testing.B) {
	port := acceptor(b)
	compareWithNetDialer(b, "127.0.0.1", port, net.DefaultResolver)
}

func BenchmarkNameWithOneAddress(b *testing.B) {
	port := acceptor(b)
	compareWithNetDialer(b, "host.example.", port, loopbackResolver(b))
}

func compareWithNetDialer(b *testing.B, host string, port uint16, r *net.Resolver) {
	e, err := New(Config{Resolver: r, Timeout: 30 * time.Second})
	if err != nil {
		b.Fatal(err)
	}
	d := net.Dialer{Resolver: r, Timeout: 30 * time.Second}
	address := net.JoinHostPort(host, strconv.Itoa(int(port)))
	var ours, theirs []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		ours = append(ours, timed(b, func() (net.Conn, error) { return e.Dial(b.Context(), host, port) }))
		theirs = append(theirs, timed(b, func() (net.Conn, error) { return d.DialContext(b.Context(), "tcp", address) }))
	}
	b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
	b.ReportMetric(float64(median(ours)), "ns/ours")
	b.ReportMetric(float64(median(theirs)), "ns/net.Dialer")
}

func timed(b *testing.B, dial func() (net.Conn, error)) time.Duration {
	begun := time.Now()
	conn, err := dial()
	took := time.Since(begun)
	if err != nil {
		b.Fatal(err)
	}
	_ = conn.(*net.TCPConn).SetLinger(0) // no TIME_WAIT: thousands of them use up the ports
	_ = conn.Close()
	return took
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// acceptor accepts and closes; it returns its port on 127.0.0.1.
func acceptor(b *testing.B) uint16 {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().(*net.TCPAddr).AddrPort().Port()
}

// loopbackResolver asks a DNS server in this process, for which every name has the one address 127.0.0.1.
func loopbackResolver(b *testing.B) *net.Resolver {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	go serveDNS(server)
	return &net.Resolver{
		PreferGo: true,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "udp4", server.LocalAddr().String())
		},
	}
}

func serveDNS(server net.PacketConn) {
	buf := make([]byte, 1500)
	for {
		n, from, err := server.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		var m dnsmessage.Message
		if err != nil || m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
			continue
		}
		m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
				Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
			}}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = server.WriteTo(out, from)
		}
	}
}

// BenchmarkOrder is what ordering costs for a name with four addresses, sources looked up by sockets.
func BenchmarkOrder(b *testing.B) {
	e, err := New(Config{})
	if err != nil {
		b.Fatal(err)
	}
	in := addrList("::1", "127.0.0.1", "127.0.0.2", "127.0.0.3")
	b.ReportAllocs()
	for b.Loop() {
		e.Order(b.Context(), in, 443)
	}
}

func BenchmarkMemory(b *testing.B) {
	m := newMemory()
	src := netip.MustParseAddr("192.0.2.9")
	var i uint32
	b.ReportAllocs()
	for b.Loop() {
		i++
		dst := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 443)
		m.learn(record{dst: dst, src: src, outcome: Failed})
		m.recall(dst, src)
	}
}
