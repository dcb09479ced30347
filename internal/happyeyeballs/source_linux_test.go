package happyeyeballs

import (
	"github.com/epctl/endpoint/internal/testenv"
	"net/netip"
	"os"
	"syscall"
	"testing"
)

// HE-05: the short way to the source address finds what package net finds, which a hook leads it to ask.
func TestQuickSourceIsThatOfPackageNet(t *testing.T) {
	hook := func(_, _ string, _ syscall.RawConn) error { return nil }
	locals := [][]netip.Addr{nil, addrList("127.0.0.1"), addrList("127.0.0.9", "::1"), addrList("203.0.113.77"), addrList("fe80::1%lo")}
	for _, local := range locals {
		quick, slow := ConnectedSource(local, nil), ConnectedSource(local, hook)
		for _, dst := range addrList("127.0.0.1", "127.0.0.9", "::1", "192.0.2.1", "2001:db8::1", "0.0.0.0", "::", "fe80::1",
			"fe80::1%lo", "fe80::1%nosuchinterface", "224.0.0.1", "ff02::1", "240.0.0.1", "64:ff9b::1") {
			if got, want := quick(t.Context(), dst), slow(t.Context(), dst); got != want {
				t.Errorf("bound to %v, to %v: %v, package net has %v", local, dst, got, want)
			}
		}
	}
}

func TestQuickSourceClosesItsSocket(t *testing.T) {
	open := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		testenv.Need(t, err == nil, "/proc/self/fd")
		return len(fds)
	}
	before := open()
	for _, a := range addrList("127.0.0.1", "::1", "2001:db8::1", "0.0.0.0") {
		for _, local := range [][]netip.Addr{nil, addrList("203.0.113.77", "2001:db8::77")} {
			ConnectedSource(local, nil)(t.Context(), a)
		}
	}
	if after := open(); after != before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}
