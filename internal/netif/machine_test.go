package netif

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
)

func TestInterfacesOfThisMachine(t *testing.T) {
	lo := loopback(t)
	s, err := Interfaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i, ok := s.ByIndex(lo.Index)
	if !ok || i.Name != lo.Name || i.MTU != lo.MTU || i.Flags != lo.Flags {
		t.Errorf("got %+v, want %+v", i, lo)
	}
	addrs, err := lo.Addrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.(*net.IPNet).String())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(i.Addrs, func(have Address) bool { return have.Prefix == prefix && have.Usable() }) {
			t.Errorf("%s has %v, without a usable %s", i.Name, i.Addrs, prefix)
		}
	}
}

func TestInterfacesHeedsItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Interfaces(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Interfaces: %v", err)
	}
	if _, err := Watch(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch: %v", err)
	}
}

// It needs no privilege.
func TestWatchOfThisMachine(t *testing.T) {
	lo := loopback(t)
	w, err := Watch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if i, ok := w.Snapshot().ByIndex(lo.Index); !ok || i.Name != lo.Name {
		t.Errorf("got %+v, want %+v", i, lo)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
