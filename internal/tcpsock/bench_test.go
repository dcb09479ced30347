package tcpsock_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/tcpsock"
)

// A contest does the same in two ways, by turns, so that both meet the same machine. Only the call is measured, not
// what undo does with its result.
type contest struct {
	ours, theirs func() (io.Closer, error)
	undo         func(io.Closer)
}

// run reports the medians and their ratio.
func (c contest) run(b *testing.B) {
	b.Helper()
	var times [2][]time.Duration
	for i := range b.N {
		for j := range 2 {
			side := (i + j) % 2 // who goes first changes too
			begun := time.Now()
			result, err := c.call(side)
			times[side] = append(times[side], time.Since(begun))
			if err != nil {
				b.Fatal(err)
			}
			c.undo(result)
		}
	}
	ours, theirs := median(times[0]), median(times[1])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ours), "ours-ns")
	b.ReportMetric(float64(theirs), "net-ns")
	b.ReportMetric(float64(ours)/float64(theirs), "ratio")
	b.ReportMetric(c.allocs(0)-c.allocs(1), "allocs-more")
}

func (c contest) call(side int) (io.Closer, error) {
	if side == 0 {
		return c.ours()
	}
	return c.theirs()
}

// allocs counts also what undo allocates, which is the same on both sides.
func (c contest) allocs(side int) float64 {
	return testing.AllocsPerRun(100, func() {
		if result, err := c.call(side); err == nil {
			c.undo(result)
		}
	})
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func dialContest(tb testing.TB, s tcpsock.DialSpec, address string) contest {
	ln := listen(tb, listenSpec(address))
	_ = ln.SetDeadline(time.Time{})
	remote := ln.Addr().(*net.TCPAddr).AddrPort()
	ours := tcpsock.NewDialer(s)
	theirs := net.Dialer{Timeout: s.Timeout}
	if s.LocalAddr.IsValid() {
		theirs.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(s.LocalAddr, 0))
	}
	network, text := "tcp4", remote.String()
	if remote.Addr().Is6() {
		network = "tcp6"
	}
	ctx := context.Background()
	return contest{
		ours:   func() (io.Closer, error) { return ours.Dial(ctx, remote) },
		theirs: func() (io.Closer, error) { return theirs.DialContext(ctx, network, text) },
		undo: func(c io.Closer) {
			_ = c.(*net.TCPConn).SetLinger(0) // or the ports would run out
			_ = c.Close()
			if s, err := ln.Accept(); err == nil {
				_ = s.Close()
			}
		},
	}
}

// listenContest is against package net as it is, with multipath TCP, or against the same without.
func listenContest(s tcpsock.ListenSpec, network string, mptcp bool) contest {
	ours := tcpsock.NewListener(s)
	var theirs net.ListenConfig
	theirs.SetMultipathTCP(mptcp)
	ctx, text := context.Background(), s.Addr.String()
	return contest{
		ours:   func() (io.Closer, error) { return ours.Listen(ctx) },
		theirs: func() (io.Closer, error) { return theirs.Listen(ctx, network, text) },
		undo:   func(c io.Closer) { _ = c.Close() },
	}
}

func BenchmarkDial(b *testing.B) {
	b.Run("IPv4", func(b *testing.B) { dialContest(b, dialSpec(), "127.0.0.1:0").run(b) })
	b.Run("IPv6", func(b *testing.B) { dialContest(b, dialSpec(), "[::1]:0").run(b) })
	local := dialSpec()
	local.LocalAddr = netip.MustParseAddr("127.0.0.1")
	b.Run("bindAddress", func(b *testing.B) { dialContest(b, local, "127.0.0.1:0").run(b) })
	label := dialSpec()
	label.FlowLabel = 0x1234
	b.Run("flowLabel", func(b *testing.B) { dialContest(b, label, "[::1]:0").run(b) })
}

func BenchmarkListen(b *testing.B) {
	b.Run("IPv4", func(b *testing.B) { listenContest(listenSpec("127.0.0.1:0"), "tcp4", true).run(b) })
	b.Run("IPv6", func(b *testing.B) { listenContest(listenSpec("[::1]:0"), "tcp6", true).run(b) })
	b.Run("IPv6,net-without-mptcp", func(b *testing.B) { listenContest(listenSpec("[::1]:0"), "tcp6", false).run(b) })
}

func TestAtMostTwoAllocationsMoreThanPackageNet(t *testing.T) {
	contests := map[string]contest{
		"dial":   dialContest(t, dialSpec(), "127.0.0.1:0"),
		"listen": listenContest(listenSpec("127.0.0.1:0"), "tcp4", false),
	}
	for name, c := range contests {
		if ours, theirs := c.allocs(0), c.allocs(1); ours > theirs+2 {
			t.Errorf("%s: %v allocations, package net has %v", name, ours, theirs)
		}
	}
}
