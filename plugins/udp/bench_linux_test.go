package udp_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint/plugins/udp"
)

// A contest does the same on our sockets and on bare ones of package net by turns, so that both meet the same machine.
type contest struct {
	ours, bare func() error
	undo       func() error // after each call, not measured
	datagrams  int          // a call
}

const callsATurn = 32

// run reports the lowest deciles of the time for a datagram, which other programs disturb least, and their ratio: how
// many datagrams a second ours has of the bare.
func (c contest) run(b *testing.B) {
	b.Helper()
	var times [2][]time.Duration
	for i := range b.N {
		for j := range 2 {
			side := (i + j) % 2 // who goes first changes too
			times[side] = append(times[side], c.turn(b, side))
		}
	}
	ours, bare := decile(times[0]), decile(times[1])
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(ours)/float64(callsATurn*c.datagrams), "ours-ns")
	b.ReportMetric(float64(bare)/float64(callsATurn*c.datagrams), "net-ns")
	b.ReportMetric(float64(bare)/float64(ours), "ratio")
	b.ReportMetric(testing.AllocsPerRun(100, func() { c.turn(b, 0) }), "allocs")
}

func (c contest) turn(tb testing.TB, side int) (took time.Duration) {
	call := c.ours
	if side == 1 {
		call = c.bare
	}
	for range callsATurn {
		begun := time.Now()
		err := call()
		took += time.Since(begun)
		if err == nil && c.undo != nil {
			err = c.undo()
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	return took
}

func decile(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/10]
}

// patient is a socket of ours without the deadline that tests want.
func patient[C net.PacketConn](tb testing.TB, s string) C {
	tb.Helper()
	c := listen(tb, s)
	_ = c.SetDeadline(time.Time{})
	return c.(C)
}

func addrPort(c net.PacketConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func bare(tb testing.TB, address string) *net.UDPConn {
	tb.Helper()
	c, err := net.ListenPacket("udp", address)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c.(*net.UDPConn)
}

// exchange writes a datagram from one socket and reads it from another one, each time as the answer to the last one, by
// the AddrPort methods.
func exchange(from, to *net.UDPConn) func() error {
	b, addr := make([]byte, 512), addrPort(to)
	return func() (err error) {
		if _, err = from.WriteToUDPAddrPort(b, addr); err != nil {
			return err
		}
		_, addr, err = to.ReadFromUDPAddrPort(b)
		from, to = to, from
		return err
	}
}

// exchangeAddr is exchange by the Addr methods.
func exchangeAddr(from, to *udp.Conn) func() error {
	b, addr := make([]byte, 512), udp.Addr{AddrPort: addrPort(to)}
	return func() (err error) {
		if _, err = from.WriteToAddr(b, addr); err != nil {
			return err
		}
		_, addr, err = to.ReadFromAddr(b)
		from, to = to, from
		return err
	}
}

func plainContest(tb testing.TB, address string) contest {
	s := "udp:port=0:interface=" + address
	return contest{
		ours:      exchange(patient[*net.UDPConn](tb, s), patient[*net.UDPConn](tb, s)),
		bare:      exchange(bare(tb, address+":0"), bare(tb, address+":0")),
		datagrams: 1,
	}
}

func connContest(tb testing.TB, address string) contest {
	s := "udp:flowInfo=yes:port=0:interface=" + address
	return contest{
		ours:      exchangeAddr(patient[*udp.Conn](tb, s), patient[*udp.Conn](tb, s)),
		bare:      exchange(bare(tb, address+":0"), bare(tb, address+":0")),
		datagrams: 1,
	}
}

// gsoContest is of the sender alone.
func gsoContest(tb testing.TB, address string) contest {
	const datagrams, segment = 40, 1200
	server := patient[*udp.Conn](tb, "udp:port=0:gro=yes:rcvbuf=1M:interface="+address)
	client := dial(tb, "udp:gso=yes:segment=1200:host="+address+":port="+portOf(server))
	_ = client.SetDeadline(time.Time{})
	single, err := net.DialUDP("udp", nil, server.LocalAddr().(*net.UDPAddr))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = single.Close() })
	b, buf := make([]byte, datagrams*segment), make([]byte, 2*segment)
	return contest{
		ours: func() error {
			_, err := client.Write(b)
			return err
		},
		bare: func() error {
			for i := 0; i < len(b); i += segment {
				if _, err := single.Write(b[i : i+segment]); err != nil {
					return err
				}
			}
			return nil
		},
		undo: func() error {
			for range datagrams {
				if _, _, err := server.ReadFromAddr(buf); err != nil {
					return err
				}
			}
			return nil
		},
		datagrams: datagrams,
	}
}

func BenchmarkExchange(b *testing.B) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1", "IPv6": "[::1]"} {
		b.Run("plain/"+name, func(b *testing.B) { plainContest(b, address).run(b) })
		b.Run("flowInfo/"+name, func(b *testing.B) { connContest(b, address).run(b) })
	}
}

func BenchmarkSend(b *testing.B) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1", "IPv6": "[::1]"} {
		b.Run("gso/"+name, func(b *testing.B) { gsoContest(b, address).run(b) })
	}
}

func TestNoAllocationADatagram(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "[::1]"} {
		for name, c := range map[string]contest{
			"plain": plainContest(t, address), "flowInfo": connContest(t, address), "gso and gro": gsoContest(t, address),
		} {
			if n := testing.AllocsPerRun(50, func() { c.turn(t, 0) }); n != 0 {
				t.Errorf("%s, %s: %v allocations for %d calls", name, address, n, callsATurn)
			}
		}
	}
}
