package mcast

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"syscall"

	"github.com/epctl/endpoint/internal/netif"
)

// Join joins c on the interfaces that s means, now and later; the zero Selector lets it choose one. Where one of those of
// now fails, none is joined. An interface that does not exist is netif.ErrNoInterface; what is joined already by the same
// selector is syscall.EADDRINUSE.
func (m *Memberships) Join(c Channel, s Selector) error {
	return m.patiently(func() error { return m.join(c, s) })
}

// Leave undoes a Join with the same selector, or with the zero Selector each Join of c. The error where there was none is
// syscall.EADDRNOTAVAIL.
func (m *Memberships) Leave(c Channel, s Selector) error {
	return m.patiently(func() error { return m.leave(c, s) })
}

func (m *Memberships) join(c Channel, s Selector) (err error) {
	if s.IsZero() {
		if s, err = choose(m.seen, c.Group); err != nil {
			return err
		}
	}
	if err := s.exists(m.seen); err != nil {
		return err
	}
	w := m.want(s)
	if w == nil {
		w = &want{selector: s, channels: map[Channel]error{}, on: map[int]*presence{}}
		m.wants = append(m.wants, w)
	}
	if _, ok := w.channels[c]; ok {
		return fmt.Errorf("the group is joined already: %w", syscall.EADDRINUSE)
	}
	w.channels[c] = nil
	if err = m.joinOnAll(w, c); err != nil {
		m.forget(w, c)
	}
	m.chooseWay()
	return err
}

func (m *Memberships) want(s Selector) *want {
	i := slices.IndexFunc(m.wants, func(w *want) bool { return w.selector == s })
	if i < 0 {
		return nil
	}
	return m.wants[i]
}

// joinOnAll joins c, which w has just got, on the interfaces of w, or on none. Where all are meant, those without IPv6
// are not.
func (m *Memberships) joinOnAll(w *want, c Channel) error {
	var failed error
	var done []netif.Interface
	w.selector.visit(m.seen, func(i netif.Interface) {
		if failed != nil {
			return
		}
		switch err := m.joinOn(c, i); {
		case err == nil:
			done = append(done, i)
			w.presence(i)
		case w.selector.IsAll() && errors.Is(err, errNoIPv6):
			m.miss(w.presence(i), c, i, err)
		default:
			failed = fmt.Errorf("on %s: %w", i.Name, err)
		}
	})
	if failed != nil {
		for _, i := range done {
			_ = m.release(c, i.Index, i.Name, false)
		}
	}
	return failed
}

func (m *Memberships) joinOn(c Channel, i netif.Interface) error {
	if err := sensible(c.Group, i); err != nil {
		return err
	}
	return m.hold(c, i)
}

// sensible refuses an interface-local group on an interface where nothing of it can be heard.
func sensible(group netip.Addr, i netif.Interface) error {
	if !InterfaceLocal(group) || i.Flags&net.FlagLoopback != 0 {
		return nil
	}
	return fmt.Errorf("%s is interface-local and never leaves this host: %s is no loopback interface", group, i.Name)
}

// presence returns what w has on the interface, which is all its channels where it was not there before.
func (w *want) presence(i netif.Interface) *presence {
	p := w.on[i.Index]
	if p == nil {
		p = &presence{generation: i.Generation, name: i.Name}
		w.on[i.Index] = p
	}
	return p
}

// forget takes c out of w, and w out of the list where it was the last one.
func (m *Memberships) forget(w *want, c Channel) {
	delete(w.channels, c)
	for _, p := range w.on {
		delete(p.missing, c)
	}
	if len(w.channels) == 0 {
		m.wants = slices.DeleteFunc(m.wants, func(o *want) bool { return o == w })
	}
}

func (m *Memberships) leave(c Channel, s Selector) error {
	err := fmt.Errorf("the group is not joined: %w", syscall.EADDRNOTAVAIL)
	found := false
	for _, w := range slices.Clone(m.wants) {
		if !contains(w.channels, c) || !s.IsZero() && s != w.selector {
			continue
		}
		if failed := m.leaveOnAll(w, c); !found || failed != nil {
			err = failed
		}
		found = true
		m.forget(w, c)
	}
	m.chooseWay()
	return err
}

// leaveOnAll returns the first error, and goes on in spite of it.
func (m *Memberships) leaveOnAll(w *want, c Channel) error {
	var first error
	for _, index := range slices.Sorted(maps.Keys(w.on)) {
		p := w.on[index]
		if contains(p.missing, c) {
			continue
		}
		if err := m.release(c, index, p.name, false); err != nil && first == nil {
			first = fmt.Errorf("on %s: %w", p.name, err)
		}
	}
	return first
}

func contains(set map[Channel]error, c Channel) bool {
	_, ok := set[c]
	return ok
}
