package packetinfo_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
)

// A link sends datagrams from one socket to another and reads them there.
type link interface {
	exchange(b []byte) error
}

type bareLink struct {
	from, to *net.UDPConn
	dest     netip.AddrPort
}

func (l bareLink) exchange(b []byte) error {
	if _, err := l.from.WriteToUDPAddrPort(b, l.dest); err != nil {
		return err
	}
	_, _, err := l.to.ReadFromUDPAddrPort(b)
	return err
}

// An infoLink answers what it heard last, so that each datagram has its source, its interface and its label.
type infoLink struct {
	from, to *packetinfo.Conn
	heard    packetinfo.Info
}

func (l *infoLink) exchange(b []byte) (err error) {
	if _, err = l.from.Write(b, l.heard); err != nil {
		return err
	}
	_, l.heard, err = l.to.Read(b)
	l.from, l.to = l.to, l.from
	return err
}

func newBareLink(tb testing.TB, address string) link {
	to, from := listenBare(tb, address), listenBare(tb, address)
	return bareLink{from, to, to.LocalAddr().(*net.UDPAddr).AddrPort()}
}

func newInfoLink(tb testing.TB, address string) link {
	o := packetinfo.Options{Info: true}
	to, from := listen(tb, address, o), listen(tb, address, o)
	return &infoLink{from, to, packetinfo.Info{Peer: addrOf(to)}}
}

// BenchmarkExchange does the same on bare sockets and on ours by turns, so that both meet the same machine, and
// reports the ratio of the medians in datagrams a second.
func BenchmarkExchange(b *testing.B) {
	for name, address := range map[string]string{"IPv4": "127.0.0.1:0", "IPv6": "[::1]:0"} {
		b.Run(name, func(b *testing.B) {
			const batch = 32
			links := []link{newInfoLink(b, address), newBareLink(b, address)}
			var times [2][]time.Duration
			payload := make([]byte, 512)
			for range b.N {
				for side, l := range links {
					begun := time.Now()
					for range batch {
						if err := l.exchange(payload); err != nil {
							b.Fatal(err)
						}
					}
					times[side] = append(times[side], time.Since(begun)/batch)
				}
			}
			ours, bare := median(times[0]), median(times[1])
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(ours), "ours-ns")
			b.ReportMetric(float64(bare), "net-ns")
			b.ReportMetric(float64(bare)/float64(ours), "ratio")
		})
	}
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

func TestNoAllocationADatagram(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		l := newInfoLink(t, address)
		payload := make([]byte, 512)
		allocs := testing.AllocsPerRun(1000, func() {
			if err := l.exchange(payload); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for a write and a read", address, allocs)
		}
	}
}
