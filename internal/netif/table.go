package netif

import "slices"

// An event is one piece of news from a source.
type event struct {
	op    eventOp
	link  Interface // linkSet, without its addresses
	index int       // the interface that the others are about
	addr  Address
}

type eventOp uint8

const (
	linkSet  eventOp = iota // there is an interface, new or not, and this is how it is now
	linkGone                // an interface was deleted, with all its addresses
	addrSet                 // there is an address, new or not, and this is how it is now
	addrGone                // an address was deleted
	stale                   // something may have changed: list all
)

// minMTU6 is the smallest MTU on which the system does IPv6 (RFC 8200 section 5): below it the interface loses its
// addresses and its memberships, and gets none of the latter back.
const minMTU6 = 1280

// A table is the interfaces as the events tell them, in the order of their indexes. The Addrs in it are never written to.
type table struct {
	list       []Interface
	generation uint64 // of the newest interface
}

// snapshot returns a list that stays as it is.
func (t *table) snapshot() []Interface { return slices.Clone(t.list) }

// replace takes over a list that was just read; an interface that was there keeps its generation.
func (t *table) replace(list []Interface) {
	for n := range list {
		if at, found := find(t.list, list[n].Index); found && !restarted(t.list[at], list[n]) {
			list[n].Generation = t.list[at].Generation
		} else {
			list[n].Generation = t.next()
		}
	}
	t.list = list
}

func (t *table) next() uint64 {
	t.generation++
	return t.generation
}

func restarted(was, is Interface) bool { return was.MTU < minMTU6 && is.MTU >= minMTU6 }

// apply does what e tells. An event that does not fit, such as an address of an interface that is not there, belongs to
// a past that the list has already overtaken, and is left out.
func (t *table) apply(e event) {
	switch e.op {
	case linkSet:
		t.setLink(e.link)
	case linkGone:
		if at, found := find(t.list, e.index); found {
			t.list = slices.Delete(t.list, at, at+1)
		}
	case addrSet, addrGone:
		if at, found := find(t.list, e.index); found {
			t.list[at].Addrs = changeAddr(t.list[at].Addrs, e)
		}
	}
}

func (t *table) setLink(link Interface) {
	at, found := find(t.list, link.Index)
	if !found {
		link.Generation = t.next()
		t.list = slices.Insert(t.list, at, link)
		return
	}
	old := t.list[at]
	link.Addrs, link.Generation = old.Addrs, old.Generation
	if restarted(old, link) {
		link.Generation = t.next()
	}
	t.list[at] = link
}

// changeAddr returns a copy of addrs with what e tells done to it.
func changeAddr(addrs []Address, e event) []Address {
	at, found := slices.BinarySearchFunc(addrs, e.addr, Address.compare)
	switch {
	case !found && e.op == addrGone:
		return addrs
	case !found:
		return slices.Insert(slices.Clone(addrs), at, e.addr)
	case e.op == addrGone:
		return slices.Delete(slices.Clone(addrs), at, at+1)
	}
	addrs = slices.Clone(addrs)
	addrs[at] = e.addr
	return addrs
}

// assemble makes a list of interfaces of the events linkSet and addrSet that a source answered when it was asked for
// all. An address of an interface that is not there was added in between, and its event is still to come.
func assemble(events []event) []Interface {
	var list []Interface
	for _, e := range events {
		if e.op == linkSet {
			list = append(list, e.link)
		}
	}
	slices.SortFunc(list, byIndex)
	list = slices.CompactFunc(list, func(a, b Interface) bool { return a.Index == b.Index })
	for _, e := range events {
		if at, found := find(list, e.index); found && e.op == addrSet {
			list[at].Addrs = append(list[at].Addrs, e.addr)
		}
	}
	for n := range list {
		slices.SortFunc(list[n].Addrs, Address.compare)
		list[n].Addrs = slices.CompactFunc(list[n].Addrs, func(a, b Address) bool { return a.compare(b) == 0 })
	}
	return list
}
