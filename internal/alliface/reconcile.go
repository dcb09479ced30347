package alliface

import "time"

// reconcile makes the sockets what the snapshot asks for.
func (s *set) reconcile() {
	s.wanted = s.spec.targets(s.now)
	changed := s.drop()
	changed = s.add(time.Now()) || changed
	s.tellReasons()
	s.share()
	if changed {
		s.announce()
	}
}

// drop closes the sockets that are not wanted any more, before others are made: one may have the same address.
func (s *set) drop() (changed bool) {
	keep := make(map[id]Target, len(s.wanted))
	for _, t := range s.wanted {
		keep[s.id(t)] = t
	}
	for key, e := range s.entries {
		t, wanted := keep[key]
		switch {
		case !wanted:
			delete(s.entries, key)
			changed = s.shut(e) || changed
		case t != e.target:
			changed = s.move(e, t) || changed
		}
	}
	return changed
}

func (s *set) shut(e *entry) (changed bool) {
	if e.socket == nil {
		return false
	}
	e.socket.close()
	s.tellClosed(e.target)
	return true
}

// move gives an entry the name that its interface has now, or another interface that has its address too.
func (s *set) move(e *entry, to Target) (changed bool) {
	was := e.target
	e.target = to
	if e.socket == nil {
		return false
	}
	e.socket.moved(to)
	if was.Addr == to.Addr {
		return false
	}
	s.tellMoved(was, to)
	return true
}

// add makes the sockets that are missing and whose time has come.
func (s *set) add(now time.Time) (changed bool) {
	for _, t := range s.wanted {
		e := s.entries[s.id(t)]
		if e == nil {
			e = &entry{target: t}
			s.entries[s.id(t)] = e
		}
		if e.due(now) && s.fillLate(e) {
			changed = true
		}
	}
	return changed
}

// fillLate is fill on any thread, for a set that serves already.
func (s *set) fillLate(e *entry) bool {
	before := e.retry
	var err error
	if elsewhere := s.where.do(func() { err = s.fill(e) }); elsewhere != nil {
		err = elsewhere
		e.failed(err)
	}
	if err != nil {
		s.tellRetry(e, before)
		return false
	}
	e.socket.serve()
	s.tellAdded(e.target, before)
	return true
}
