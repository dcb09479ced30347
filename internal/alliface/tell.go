package alliface

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/trace"
)

// A place is an address on an interface.
type place struct {
	index int
	addr  netip.Addr
}

// addr is the address of the socket for t.
func (s *set) addr(t Target) net.Addr {
	return netAddr(s.transport, netip.AddrPortFrom(t.Addr, s.port))
}

func netAddr(transport string, a netip.AddrPort) net.Addr {
	if transport == "udp" {
		return net.UDPAddrFromAddrPort(a)
	}
	return net.TCPAddrFromAddrPort(a)
}

// emit tells what happened to t, whose family completes the event.
func (s *set) emit(t Target, e trace.Event) {
	if s.tracer == nil {
		return
	}
	e.Layer, e.Network, e.Local = s.spec.Layer, s.transport+"6", s.addr(t)
	if t.Addr.Is4() {
		e.Network = s.transport + "4"
	}
	s.tracer.Emit(e)
}

func (s *set) warn(t Target, err error, format string, args ...any) {
	s.emit(t, trace.Event{Kind: trace.Warning, Err: err, Detail: fmt.Sprintf(format, args...)})
}

func (s *set) change(t Target, format string, args ...any) {
	s.emit(t, trace.Event{Kind: trace.Changed, Detail: fmt.Sprintf(format, args...)})
}

// tellBind tells of a socket that was bound at the beginning, or not.
func (s *set) tellBind(t Target, err error) { s.emit(t, trace.Event{Kind: trace.Listening, Err: err}) }

// tellStart tells what is bound, and what is not although one might expect it.
func (s *set) tellStart() {
	if s.tracer == nil {
		return
	}
	for _, t := range s.wanted {
		switch e := s.entries[s.id(t)]; {
		case e.socket != nil:
			s.tellBind(t, nil)
		case e.outcast:
			s.warn(t, e.retry.err, "%s is left out: the system does not have it", familyName(t.Addr))
		case s.source == nil:
			s.warn(t, e.retry.err, "not listening on %s: it is gone, or not usable yet", t)
		default:
			s.tellRetry(e, retry{})
		}
	}
	s.tellFamilies()
	for _, p := range s.spec.unmatched(s.now) {
		s.warn(s.all(), nil, "include=%s matches no interface and no address", p)
	}
	s.tellReasons()
}

// tellFamilies tells which family is left out because the machine has no address of it.
func (s *set) tellFamilies() {
	for _, ipv6 := range []bool{false, true} {
		all := unspecified(ipv6)
		if s.spec.Mode != Wildcard && s.spec.wantsFamily(all) && lacks(s.now, all) {
			s.warn(Target{Addr: all}, nil, "%s is left out: no interface that is up has an address", familyName(all))
		}
	}
}

// tellReasons tells of each address that is meant but can't be used why, once.
func (s *set) tellReasons() {
	if s.tracer == nil || s.spec.Mode == Wildcard {
		return
	}
	told := make(map[place]string)
	for i, a := range addresses(s.now) {
		v := s.spec.Judge(i, a)
		if v.Decision != Wait && v.Decision != Refuse {
			continue
		}
		at := place{i.Index, a.Prefix.Addr()}
		told[at] = v.Reason
		if s.told[at] != v.Reason {
			s.warn(targetOf(i, a), nil, "not listening on %s: %s", targetOf(i, a), v.Reason)
		}
	}
	s.told = told
}

func (s *set) tellAdded(t Target, failures retry) {
	if failures.count > 0 {
		s.change(t, "listening on %s, after %d failures", t, failures.count)
		return
	}
	s.change(t, "listening on %s", t)
}

func (s *set) tellClosed(t Target) {
	if s.tracer != nil {
		s.change(t, "no longer listening on %s: %s", t, s.whyNot(t))
	}
}

func (s *set) tellMoved(was, is Target) { s.change(is, "%s is now %s", was, is) }

// tellRetry tells of a failure, once for each kind of error.
func (s *set) tellRetry(e *entry, before retry) {
	if before.err == nil || before.err.Error() != e.retry.err.Error() {
		s.warn(e.target, e.retry.err, "not listening on %s, will be tried again", e.target)
	}
}

// whyNot says why there is no socket for t any more.
func (s *set) whyNot(t Target) string {
	if s.spec.Device != "" && s.wants(t) {
		return "the interface " + s.spec.Device + " was made anew or is gone"
	}
	i, a, ok := s.find(t)
	if !ok {
		return "the address is gone"
	}
	return s.spec.Judge(i, a).Reason
}

func (s *set) wants(t Target) bool {
	for _, w := range s.wanted {
		if w.id(0) == t.id(0) {
			return true
		}
	}
	return false
}

// find returns the interface that has the address of t.
func (s *set) find(t Target) (netif.Interface, netif.Address, bool) {
	for i, a := range addresses(s.now) {
		if targetOf(i, a).id(0) == t.id(0) {
			return i, a, true
		}
	}
	return netif.Interface{}, netif.Address{}, false
}

// String returns the address and the interface, as in "192.0.2.1 (eth0)".
func (t Target) String() string {
	if t.Interface == "" || t.Addr.Zone() != "" {
		return t.Addr.String()
	}
	return t.Addr.String() + " (" + t.Interface + ")"
}
