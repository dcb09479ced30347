// Package alliface is one logical port on every local interface: a stream listener, or a datagram socket, that is made
// of one socket for each address of the machine and follows the addresses as they come and go.
//
// [Selection] says which addresses are meant and why others are not; it does no I/O. [NewServer] and [NewPacketServer]
// bind what it selects. The list of interfaces and the news of it come from package netif, sockets from tcpsock and
// udpsock.
package alliface

import (
	"net/netip"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
)

// The modes of a [Spec].
const (
	Each     = "each"     // a socket for each address
	Wildcard = "wildcard" // a socket for each family, bound to its unspecified address
)

// A Spec says what to listen on, for streams and for datagrams.
type Spec struct {
	Layer     string // name of the plugin, for trace events
	Port      uint16 // 0 picks one that is free on all sockets
	Mode      string // Each or Wildcard
	Watch     bool   // follow what happens to the addresses
	Device    string // the socket option bindToDevice, whose interface may be made anew too; filled in from the options
	Selection        // with Wildcard only its family counts; Tentative is filled in from the options
}

// problems returns what is wrong with the spec without asking the system.
func (s Spec) problems() []sockopt.Problem {
	var list []sockopt.Problem
	if s.Mode != Wildcard {
		return nil
	}
	bad := func(param string, wrong bool) {
		if wrong {
			list = append(list, sockopt.Problem{
				Param: param, With: "mode", Message: "mode=wildcard takes every address; mode=each can choose",
			})
		}
	}
	bad("include", len(s.Include) > 0)
	bad("exclude", len(s.Exclude) > 0)
	bad("loopback", !s.Loopback)
	return list
}

// network returns transport, "tcp" or "udp", with the family where there is only one.
func (s Spec) network(transport string) string {
	if s.Family == Any {
		return transport
	}
	return transport + s.Family
}

// StreamProblems returns what is wrong with a stream server of this spec without asking the system, under the names
// include, exclude, loopback, backlog and those of the socket options.
func (s Spec) StreamProblems(backlog int, o sockopt.Listen) []sockopt.Problem {
	list := s.problems()
	if backlog < 0 {
		list = append(list, sockopt.Problem{Param: "backlog", Message: "can't be negative"})
	}
	return append(list, o.Problems(s.network("tcp"))...)
}

// PacketProblems returns what is wrong with a datagram server of this spec without asking the system, under the names
// mode, include, exclude, loopback and those of the socket options.
func (s Spec) PacketProblems(o sockopt.Packet) []sockopt.Problem {
	list := s.problems()
	if s.Mode == Wildcard && !packetinfo.Supported {
		list = append(list, sockopt.Problem{
			Param: "mode", Message: "on this system a wildcard socket can't answer from the address that was asked; mode=each can",
		})
	}
	return append(list, o.Problems(s.network("udp"))...)
}

// A Target is an address that a socket is bound to.
type Target struct {
	Addr      netip.Addr // with the interface's name as its zone where it is link-local
	Interface string     // that has the address, the first where there are several; "" for an unspecified address
	Index     int        // of Interface
}

// id is what a socket depends on: while it stays the same, the socket stays. The name of an interface is not in it, and
// neither is its Generation: a socket that is bound to an address of an interface works on one that is made anew with
// the same index.
type id struct {
	addr   netip.Addr // without zone
	index  int        // of the interface, where the address is link-local
	device int        // index of the interface of bindToDevice
}

func (t Target) id(device int) id {
	of := id{addr: t.Addr.WithZone(""), device: device}
	if t.Addr.Zone() != "" {
		of.index = t.Index
	}
	return of
}

// targets returns what has to be bound, in the order of interfaces and addresses, each once.
func (s Spec) targets(now netif.Snapshot) []Target {
	if s.Mode != Wildcard {
		return s.Targets(now)
	}
	var list []Target
	for _, addr := range []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()} {
		if s.wantsFamily(addr) {
			list = append(list, Target{Addr: addr})
		}
	}
	return list
}

// watched says whether there is anything to follow: what is bound to no interface never goes away.
func (s Spec) watched() bool { return s.Watch && (s.Mode != Wildcard || s.Device != "") }

// device returns the index of the interface that the sockets are bound to, 0 where there is none.
func (s Spec) device(now netif.Snapshot) int {
	if s.Device == "" {
		return 0
	}
	i, _ := now.ByName(s.Device)
	return i.Index
}

// unspecified is the address that stands for all.
func unspecified(ipv6 bool) netip.Addr {
	if ipv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

func familyName(a netip.Addr) string {
	if a.Is4() {
		return "IPv4"
	}
	return "IPv6"
}
