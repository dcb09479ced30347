package mcast

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"syscall"

	"github.com/epctl/endpoint/internal/netif"
)

// hold joins c on the interface, unless another want holds it there already.
func (m *Memberships) hold(c Channel, i netif.Interface) error {
	at := place{c.Group, i.Index}
	have := m.joined[at]
	if err := have.conflict(c); err != nil {
		return err
	}
	if have[c.Source] == 0 {
		if err := m.kernel.join(i.Index, c); err != nil {
			return limit(c, len(have) > 0, err)
		}
		m.note(Change{Membership: Membership{c, i.Index, i.Name}, Op: Joined})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if have == nil {
		have = member{}
		m.joined[at] = have
	}
	have[c.Source]++
	return nil
}

// conflict: the kernel does not do both at once either, and says so in riddles.
func (have member) conflict(c Channel) error {
	anySource := have[netip.Addr{}] > 0
	switch {
	case len(have) == 0 || anySource == !c.Source.IsValid():
		return nil
	case anySource:
		return fmt.Errorf("the group is joined for any source there: %w", syscall.EADDRINUSE)
	}
	return fmt.Errorf("the group is joined for single sources there: %w", syscall.EADDRINUSE)
}

// release undoes hold. On an interface that is gone the kernel leaves no source, only all of a group at once.
func (m *Memberships) release(c Channel, index int, name string, gone bool) error {
	last, empty := m.drop(place{c.Group, index}, c.Source)
	if !last {
		return nil
	}
	m.note(Change{Membership: Membership{c, index, name}, Op: Left})
	switch {
	case !gone:
		return m.kernel.leave(index, c)
	case empty:
		return m.kernel.leave(index, Channel{Group: c.Group})
	}
	return nil
}

// drop reports whether nobody holds the source there any more, and whether nobody holds anything.
func (m *Memberships) drop(at place, source netip.Addr) (last, empty bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	have := m.joined[at]
	switch have[source] {
	case 0:
		return false, false
	case 1:
		delete(have, source)
	default:
		have[source]--
		return false, false
	}
	if len(have) > 0 {
		return true, false
	}
	delete(m.joined, at)
	return true, true
}

// Takes reports whether a datagram to group from source, which has no zone, belongs to a channel that is joined on the
// interface that it came in on.
func (m *Memberships) Takes(group, source netip.Addr, index int) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	have := m.joined[place{group, index}]
	return have[netip.Addr{}] > 0 || have[source] > 0
}

// Joined returns what is joined, in the order of groups, sources and indexes.
func (m *Memberships) Joined() []Membership {
	names := m.watch.Snapshot()
	m.mu.RLock()
	defer m.mu.RUnlock()
	var list []Membership
	for at, have := range m.joined {
		i, _ := names.ByIndex(at.index)
		for source := range have {
			list = append(list, Membership{Channel{at.group, source}, at.index, i.Name})
		}
	}
	slices.SortFunc(list, func(a, b Membership) int {
		return cmp.Or(a.Channel.compare(b.Channel), cmp.Compare(a.Index, b.Index))
	})
	return list
}

// Name returns the name of the interface with the given index, "" where there is none any more.
func (m *Memberships) Name(index int) string {
	i, _ := m.watch.Snapshot().ByIndex(index)
	return i.Name
}
