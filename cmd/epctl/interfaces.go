package main

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/epctl/endpoint/internal/alliface"
	"github.com/epctl/endpoint/internal/mcast"
	"github.com/epctl/endpoint/internal/netif"
)

type interfacesCmd struct {
	Watch bool `help:"Go on until a signal, and tell each change; with --json, write everything again after each."`
	JSON  bool `name:"json" help:"Write JSON."`
}

func (c *interfacesCmd) Help() string {
	return "Shows what the endpoints alliface and multicast see: what alliface with no further parameters would listen on, and which interfaces multicast with interface=* would join."
}

// Run shows the interfaces, and goes on with --watch.
func (c *interfacesCmd) Run(ctx context.Context, a *app) error {
	if !c.Watch {
		s, err := netif.Interfaces(ctx)
		if err != nil {
			return err
		}
		return c.show(a, s)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	w, err := netif.Watch(ctx)
	if err != nil {
		return err
	}
	defer w.Close()
	defer context.AfterFunc(ctx, func() { _ = w.Close() })()
	return signalOr(ctx, c.watch(a, w))
}

func (c *interfacesCmd) watch(a *app, w *netif.Watcher) error {
	before := w.Snapshot()
	if err := c.show(a, before); err != nil {
		return err
	}
	for range w.Changes() {
		now := w.Snapshot()
		if err := c.change(a, before, now); err != nil {
			return err
		}
		before = now
	}
	return nil
}

func (c *interfacesCmd) show(a *app, s netif.Snapshot) error {
	if c.JSON {
		return a.out.json(newInterfaces(s))
	}
	return a.out.print(newInterfaces(s).text(a.out))
}

// change tells what is new.
func (c *interfacesCmd) change(a *app, before, now netif.Snapshot) error {
	if c.JSON {
		return c.show(a, now)
	}
	return a.out.print(changesText(a.out, time.Now(), netif.Diff(before, now)))
}

// interfaces are a snapshot in its JSON form.
type interfaces struct {
	Interfaces []ifaceObject `json:"interfaces"`
	Lost       uint64        `json:"lost,omitempty"` // how often the system had more news than it could hold
}

type ifaceObject struct {
	Index     int             `json:"index"`
	Name      string          `json:"name"`
	MTU       int             `json:"mtu"`
	Flags     []string        `json:"flags"`
	Addrs     []addressObject `json:"addrs"`
	Multicast bool            `json:"multicast"`        // multicast with interface=* joins
	Reason    string          `json:"reason,omitempty"` // why not
}

type addressObject struct {
	Addr     netip.Addr   `json:"addr"` // with its zone, as it is written in a description
	Prefix   netip.Prefix `json:"prefix"`
	Peer     string       `json:"peer,omitempty"`
	Scope    string       `json:"scope"`
	Flags    []string     `json:"flags"`
	Alliface string       `json:"alliface"`         // what alliface does: listen, wait, refuse or skip
	Reason   string       `json:"reason,omitempty"` // why it does not listen
}

var decisions = [...]string{
	alliface.Listen: "listen", alliface.Wait: "wait", alliface.Refuse: "refuse", alliface.Skip: "skip",
}

func newInterfaces(s netif.Snapshot) interfaces {
	all := interfaces{Interfaces: []ifaceObject{}, Lost: s.Lost}
	for _, i := range s.Interfaces {
		out := ifaceObject{
			Index: i.Index, Name: i.Name, MTU: i.MTU, Flags: flagNames(i.Flags), Addrs: []addressObject{},
			Multicast: mcast.Supported && i.Multicast(), Reason: multicastReason(i),
		}
		for _, addr := range i.Addrs {
			out.Addrs = append(out.Addrs, newAddress(i, addr))
		}
		all.Interfaces = append(all.Interfaces, out)
	}
	return all
}

func newAddress(i netif.Interface, a netif.Address) addressObject {
	verdict := alliface.Selection{Family: alliface.Any, Loopback: true}.Judge(i, a)
	out := addressObject{
		Addr: i.Zoned(a.Prefix.Addr()), Prefix: a.Prefix, Scope: a.Scope.String(), Flags: strings.Fields(a.Flags.String()),
		Alliface: decisions[verdict.Decision], Reason: verdict.Reason,
	}
	if a.Peer.IsValid() {
		out.Peer = a.Peer.String()
	}
	if out.Flags == nil {
		out.Flags = []string{}
	}
	return out
}

func flagNames(f net.Flags) []string {
	if f == 0 {
		return []string{}
	}
	return strings.Split(f.String(), "|")
}

// multicastReason says why multicast with interface=* does not join on i; empty where it does.
func multicastReason(i netif.Interface) string {
	switch {
	case !mcast.Supported:
		return errors.ErrUnsupported.Error() + " on this system"
	case !i.Up():
		return "the interface is down"
	case !i.Multicast() && i.Flags&net.FlagLoopback != 0:
		return "the loopback interface is joined by its name only"
	case !i.Multicast():
		return "the interface takes no part in multicast"
	}
	return ""
}
