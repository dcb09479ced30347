package netif

import (
	"fmt"
	"slices"
	"strings"
)

// Op says what a Change is about.
type Op uint8

// The kinds of changes, in the order in which Diff returns them.
const (
	EventsLost       Op = iota + 1 // Snapshot.Lost grew
	AddressRemoved                 // also before its interface is removed
	InterfaceRemoved               // also before one of the same index but of another generation is added
	InterfaceChanged               // its name, its flags or its MTU
	AddressChanged                 // its scope or its flags: tentative → usable, dadfailed, deprecated; for IPv6 also prefix and peer
	InterfaceAdded
	AddressAdded // also after its interface is added
)

// A Change is one difference between two snapshots.
type Change struct {
	Op        Op
	Interface Interface // as it is now, or was where it or its address is removed; zero for EventsLost
	Was       Interface // InterfaceChanged: as it was
	Address   Address   // the address as it is now, or was where it is removed; zero where the change is not of an address
	WasAddr   Address   // AddressChanged: as it was
}

// Diff returns what leads from the snapshot old to the snapshot now, both of one Watcher: first what was lost and
// removed, then what changed, then what was added, each in the order of indexes and addresses. It takes time linear in
// the number of interfaces and addresses.
func Diff(old, now Snapshot) []Change {
	var d differ
	if old.Lost != now.Lost {
		d.removed = append(d.removed, Change{Op: EventsLost})
	}
	merge(old.Interfaces, now.Interfaces, byIndex, d.remove, d.add, d.both)
	return slices.Concat(d.removed, d.changed, d.added)
}

// merge walks through two ordered lists at once: what only one of them has goes to removed or added, the others to both.
func merge[T any](old, now []T, order func(a, b T) int, removed, added func(T), both func(was, is T)) {
	for len(old) > 0 && len(now) > 0 {
		switch o := order(old[0], now[0]); {
		case o < 0:
			removed(old[0])
			old = old[1:]
		case o > 0:
			added(now[0])
			now = now[1:]
		default:
			both(old[0], now[0])
			old, now = old[1:], now[1:]
		}
	}
	for _, was := range old {
		removed(was)
	}
	for _, is := range now {
		added(is)
	}
}

type differ struct{ removed, changed, added []Change }

func (d *differ) remove(i Interface) {
	for _, a := range i.Addrs {
		d.removeAddr(i, a)
	}
	d.removed = append(d.removed, Change{Op: InterfaceRemoved, Interface: i})
}

func (d *differ) add(i Interface) {
	d.added = append(d.added, Change{Op: InterfaceAdded, Interface: i})
	for _, a := range i.Addrs {
		d.addAddr(i, a)
	}
}

func (d *differ) both(was, is Interface) {
	if was.Generation != is.Generation {
		d.remove(was)
		d.add(is)
		return
	}
	if !was.sameLink(is) {
		d.changed = append(d.changed, Change{Op: InterfaceChanged, Interface: is, Was: was})
	}
	merge(was.Addrs, is.Addrs, Address.compare,
		func(a Address) { d.removeAddr(was, a) },
		func(a Address) { d.addAddr(is, a) },
		func(a, b Address) { d.changeAddr(is, a, b) })
}

func (d *differ) removeAddr(i Interface, a Address) {
	d.removed = append(d.removed, Change{Op: AddressRemoved, Interface: i, Address: a})
}

func (d *differ) addAddr(i Interface, a Address) {
	d.added = append(d.added, Change{Op: AddressAdded, Interface: i, Address: a})
}

func (d *differ) changeAddr(i Interface, was, is Address) {
	if was != is {
		d.changed = append(d.changed, Change{Op: AddressChanged, Interface: i, Address: is, WasAddr: was})
	}
}

// String tells the change in one line, as in "eth0: 2001:db8::1/64 global permanent added".
func (c Change) String() string {
	on := c.Interface.Name + ": "
	switch c.Op {
	case EventsLost:
		return "news of interfaces were lost, all were listed again"
	case AddressRemoved:
		return on + c.Address.String() + " removed"
	case AddressAdded:
		return on + c.Address.String() + " added"
	case AddressChanged:
		return on + c.Address.String() + ", was " + c.WasAddr.String()
	case InterfaceRemoved:
		return fmt.Sprintf("%sinterface %d removed", on, c.Interface.Index)
	case InterfaceAdded:
		return fmt.Sprintf("%sinterface %d added (%s)", on, c.Interface.Index, c.Interface.Flags)
	case InterfaceChanged:
		return on + strings.Join(c.linkChanges(), ", ")
	}
	return "no change"
}

func (c Change) linkChanges() []string {
	var parts []string
	if c.Was.Name != c.Interface.Name {
		parts = append(parts, "renamed from "+c.Was.Name)
	}
	if c.Was.Flags != c.Interface.Flags {
		parts = append(parts, fmt.Sprintf("flags %s, were %s", c.Interface.Flags, c.Was.Flags))
	}
	if c.Was.MTU != c.Interface.MTU {
		parts = append(parts, fmt.Sprintf("MTU %d, was %d", c.Interface.MTU, c.Was.MTU))
	}
	return parts
}
