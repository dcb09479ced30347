package mcast

import (
	"fmt"

	"github.com/epctl/endpoint/internal/netif"
)

// What Way returns where it is no index.
const (
	WayByRoutes  = 0  // nothing was chosen, and nothing is joined
	WayAmbiguous = -1 // nothing was chosen, and several interfaces are joined
	WayGone      = -2 // the interface that was chosen is not there
)

// Way returns the index of the interface that datagrams to groups leave by: the one that was chosen, of which the kernel
// knows, or else the only one that is joined, of which it does not.
func (m *Memberships) Way() int { return int(m.way.Load()) }

// Outgoing returns the selector of the interface that datagrams to groups leave by, the zero Selector where none was
// chosen.
func (m *Memberships) Outgoing() Selector {
	m.changing.Lock()
	defer m.changing.Unlock()
	return m.out.selector
}

// SetOutgoing lets datagrams to groups leave by the interface that s means, now and later; the zero Selector leaves it
// to the routes. The error for an interface that does not exist is netif.ErrNoInterface.
func (m *Memberships) SetOutgoing(s Selector) error {
	return m.patiently(func() error { return m.setOutgoing(s) })
}

func (m *Memberships) setOutgoing(s Selector) error {
	if s.IsAll() {
		return fmt.Errorf("%s is no single interface", s)
	}
	next := outgoing{selector: s}
	if !s.IsZero() {
		if err := s.exists(m.seen); err != nil {
			return err
		}
		i := s.first(m.seen)
		next.index, next.generation = i.Index, i.Generation
	}
	if err := m.kernel.setOutgoing(next.index); err != nil {
		return err
	}
	m.out = next
	m.chooseWay()
	return nil
}

// first returns the first interface that s means, or the zero Interface.
func (s Selector) first(snapshot netif.Snapshot) netif.Interface {
	var first netif.Interface
	s.visit(snapshot, func(i netif.Interface) {
		if first.Index == 0 {
			first = i
		}
	})
	return first
}

// followOut tells the kernel where the interface that was chosen has another index now. Where it is gone the kernel
// keeps the old index, with which nothing is sent.
func (m *Memberships) followOut(lost bool) bool {
	if m.out.selector.IsZero() {
		return true
	}
	i := m.out.selector.first(m.seen)
	if i.Index == m.out.index && i.Generation == m.out.generation && !lost {
		return true
	}
	was := m.out.index
	m.out.index, m.out.generation = 0, 0
	if i.Index == 0 {
		if was != 0 {
			m.note(Change{Membership: Membership{Interface: m.out.selector.text}, Op: OutgoingGone})
		}
		return true
	}
	if err := m.kernel.setOutgoing(i.Index); err != nil {
		return false
	}
	m.out.index, m.out.generation = i.Index, i.Generation
	m.note(Change{Membership: Membership{Index: i.Index, Interface: i.Name}, Op: Outgoing})
	return true
}

// chooseWay works out what Way returns.
func (m *Memberships) chooseWay() {
	way := m.out.index
	switch {
	case !m.out.selector.IsZero() && way == 0:
		way = WayGone
	case m.out.selector.IsZero():
		way = m.soleInterface()
	}
	m.way.Store(int64(way))
}

// soleInterface returns the index of the only interface that is joined.
func (m *Memberships) soleInterface() int {
	sole := WayByRoutes
	for _, w := range m.wants {
		for index := range w.on {
			if sole != WayByRoutes && sole != index {
				return WayAmbiguous
			}
			sole = index
		}
	}
	return sole
}
