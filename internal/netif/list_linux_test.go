package netif

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Many links and addresses take several parts of a list, and are what package netlink finds as well.
func TestListAgreesWithAnotherImplementation(t *testing.T) {
	ns, _ := pair(t)
	inside(t, ns, func() error { return crowd(60, 20) })
	list := listIn(t, ns)
	if len(list.Interfaces) != 2+2*60 {
		t.Errorf("%d interfaces", len(list.Interfaces))
	}
	inside(t, ns, func() error {
		links, err := netlink.LinkList()
		if err != nil {
			return err
		}
		for n, link := range links {
			if err := compareWith(list.Interfaces[n], link); err != nil {
				return err
			}
		}
		return nil
	})
}

// crowd makes pairs veth pairs in the namespace and gives the first end of each IPv4 and IPv6 addresses.
func crowd(pairs, addresses int) error {
	for n := range pairs {
		link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: fmt.Sprintf("w%d", n)}, PeerName: fmt.Sprintf("x%d", n)}
		if err := netlink.LinkAdd(link); err != nil {
			return err
		}
		for a := range addresses / 2 {
			err := addAddresses(link, fmt.Sprintf("10.%d.%d.1/24", n, a), fmt.Sprintf("2001:db8:%x:%x::1/64", n, a))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func addAddresses(link netlink.Link, prefixes ...string) error {
	for _, text := range prefixes {
		address, err := netlink.ParseAddr(text)
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(link, address); err != nil {
			return err
		}
	}
	return nil
}

func compareWith(i Interface, link netlink.Link) error {
	attrs := link.Attrs()
	if i.Index != attrs.Index || i.Name != attrs.Name || i.MTU != attrs.MTU || i.Up() != (attrs.RawFlags&unix.IFF_UP != 0) {
		return fmt.Errorf("%+v is %+v", i, attrs)
	}
	addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return err
	}
	if len(addrs) != len(i.Addrs) {
		return fmt.Errorf("%s has %d addresses, want %d", i.Name, len(i.Addrs), len(addrs))
	}
	for _, a := range addrs {
		want, ones := a.IP, 0
		ones, _ = a.Mask.Size()
		found := slices.ContainsFunc(i.Addrs, func(have Address) bool {
			return have.Prefix.Addr().String() == want.String() && have.Prefix.Bits() == ones && int(have.Scope) == a.Scope &&
				(have.Flags&Tentative != 0) == (a.Flags&unix.IFA_F_TENTATIVE != 0)
		})
		if !found {
			return fmt.Errorf("%s has not %v: %v", i.Name, a, i.Addrs)
		}
	}
	return nil
}
