package multicast_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
)

// exchange sends a datagram to the group by out, and reads it from c.
func exchange(out, c *conn, group multicast.Addr, buf []byte) error {
	if _, err := out.WriteToAddr(buf, group); err != nil {
		return err
	}
	_, _, err := c.ReadFromAddr(buf)
	return err
}

func forBenches(tb testing.TB, f func(name string, out, c *conn, group multicast.Addr)) {
	ns, _ := pair(tb, 1)
	for _, group := range []string{"239.1.2.3", "ff02::4242"} {
		c := listen(tb, ns, "multicast:7777:%s:r0", group)
		out := dial(tb, ns, "multicast:7777:%s:r0", group)
		if err := whenReady(func() error { _, err := out.Write(nil); return err }); err != nil {
			tb.Fatal(err)
		}
		if _, _, err := c.ReadFromAddr(make([]byte, 1)); err != nil {
			tb.Fatal(err)
		}
		f(group, out, c, multicast.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr(group), 7777)})
	}
}

func TestNoAllocationADatagram(t *testing.T) {
	testenv.Root(t)
	forBenches(t, func(name string, out, c *conn, group multicast.Addr) {
		buf := make([]byte, 512)
		_ = c.SetReadDeadline(time.Now().Add(patience))
		allocs := testing.AllocsPerRun(500, func() {
			if err := exchange(out, c, group, buf); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for a write and a read", name, allocs)
		}
	})
}

func BenchmarkExchange(b *testing.B) {
	forBenches(b, func(name string, out, c *conn, group multicast.Addr) {
		b.Run(name, func(b *testing.B) {
			buf := make([]byte, 512)
			b.ReportAllocs()
			for b.Loop() {
				if err := exchange(out, c, group, buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	})
}
