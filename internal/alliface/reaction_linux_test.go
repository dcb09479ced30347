package alliface

import (
	"testing"
	"time"

	"github.com/vishvananda/netlink"
)

// BenchmarkReaction is an address that is added and removed, up to the moment at which the listener has followed. The
// largest part of it is the 100 ms for which package netif waits for more; there are two of them.
func BenchmarkReaction(b *testing.B) {
	h := newHouse(b, everywhere(0))
	var handle *netlink.Handle
	var link netlink.Link
	inside(b, h.ns, func() (err error) {
		if handle, err = netlink.NewHandle(); err == nil {
			link, err = handle.LinkByName("v0")
		}
		return err
	})
	defer handle.Close()
	addr, err := netlink.ParseAddr("192.0.2.1/24")
	if err != nil {
		b.Fatal(err)
	}
	var worst time.Duration
	for b.Loop() {
		for _, step := range []struct {
			do func(netlink.Link, *netlink.Addr) error
			ok func([]string) bool
		}{{handle.AddrAdd, has("192.0.2.1")}, {handle.AddrDel, hasNot("192.0.2.1")}} {
			start := time.Now()
			if err := step.do(link, addr); err != nil {
				b.Fatal(err)
			}
			h.await("followed", step.ok)
			worst = max(worst, time.Since(start))
		}
	}
	b.ReportMetric(float64(worst.Milliseconds()), "worst-ms")
}
