package mcast

import (
	"errors"
	"maps"

	"github.com/epctl/endpoint/internal/netif"
)

// leaveGone leaves the channels of w where the selector means the interface no more, and where it is another one than
// before or may be.
func (m *Memberships) leaveGone(w *want, now netif.Snapshot, lost bool) {
	w.round++
	w.selector.visit(now, func(i netif.Interface) {
		if p := w.on[i.Index]; p != nil && p.generation == i.Generation && !lost {
			p.round, p.name = w.round, i.Name
		}
	})
	for index, p := range w.on {
		if p.round == w.round {
			continue
		}
		i, found := now.ByIndex(index)
		gone := lost || !found || i.Generation != p.generation
		for _, c := range sorted(w.channels) {
			if _, missing := p.missing[c]; !missing {
				_ = m.release(c, index, p.name, gone)
			}
		}
		delete(w.on, index)
	}
}

// joinNew joins the channels of w where they are not joined yet, and reports whether all are now.
func (m *Memberships) joinNew(w *want) bool {
	complete := true
	w.selector.visit(m.seen, func(i netif.Interface) {
		p := w.on[i.Index]
		if p == nil {
			p = &presence{generation: i.Generation, name: i.Name, missing: maps.Clone(w.channels)}
			w.on[i.Index] = p
		}
		if len(p.missing) == 0 {
			return
		}
		for _, c := range sorted(p.missing) {
			m.joinMissing(p, c, i)
		}
		complete = complete && !p.worthATry()
	})
	return complete
}

// worthATry reports whether something is missing that may be had later without an event of the interface.
func (p *presence) worthATry() bool {
	for _, err := range p.missing {
		if !errors.Is(err, errNoIPv6) {
			return true
		}
	}
	return false
}

func (m *Memberships) joinMissing(p *presence, c Channel, i netif.Interface) {
	if err := m.hold(c, i); err != nil {
		m.miss(p, c, i, err)
		return
	}
	delete(p.missing, c)
}

// miss keeps in mind that c is not joined on the interface, and why.
func (m *Memberships) miss(p *presence, c Channel, i netif.Interface, err error) {
	if p.missing[c] == nil {
		m.note(Change{Membership: Membership{c, i.Index, i.Name}, Op: Failed, Err: err})
	}
	if p.missing == nil {
		p.missing = map[Channel]error{}
	}
	p.missing[c] = err
}
