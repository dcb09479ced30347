package alliface

import (
	"context"
	"fmt"
	"net"
	"testing"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
)

// hosts are n addresses that Linux has on lo without anybody adding them.
func hosts(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("127.0.%d.%d", i/200, i%200+1))
	}
	return list
}

// BenchmarkDatagram is one datagram to an address and its answer.
func BenchmarkDatagram(b *testing.B) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("sockets=%d", n), func(b *testing.B) {
			c := NewPacketServer(everywhere(0), sockopt.Packet{}).conn(nil)
			source := newFakeSource(eth(1, "lo", hosts(n)...))
			c.set.source, c.set.now = source, source.Snapshot()
			if err := c.set.start(context.Background()); err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			exchange(b, c, c.Addrs()[n/2].(*net.UDPAddr))
		})
	}
}

func exchange(b *testing.B, c *PacketConn, at *net.UDPAddr) {
	client, err := net.DialUDP("udp4", nil, at)
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	buf := make([]byte, 1500)
	b.ReportAllocs()
	for b.Loop() {
		_, _ = client.Write(buf[:100])
		var info packetinfo.Info
		if _, info, err = c.Read(buf); err == nil {
			_, err = c.Write(buf[:100], info)
		}
		if err != nil {
			b.Fatal(err)
		}
		_, _ = client.Read(buf)
	}
}
