package alliface

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// maxTries is how often a free port is looked for that is free on all addresses.
const maxTries = 16

// ErrNoAddress is what errors.Is finds in the error for a machine that has no address which is selected and can be
// bound. The text says of each address why.
var ErrNoAddress = errors.New("no address to listen on")

// bindAll makes a socket for each target, or none: then the error is that of the socket that failed. What the system
// does not have at all is left out: an address that went since it was listed, or that is not usable yet although it
// looks so, and a family that the system does not know.
func (s *set) bindAll(ctx context.Context) error {
	s.wanted = s.spec.targets(s.now)
	var err error
	for range maxTries {
		if err = ctx.Err(); err != nil {
			return s.opError(err)
		}
		err = s.tryAll()
		if s.spec.Port != 0 || !errors.Is(err, errInUse) {
			break
		}
	}
	if err != nil {
		return err
	}
	return s.suffices()
}

// tryAll binds all with one port, or none.
func (s *set) tryAll() error {
	s.port = s.spec.Port
	for _, t := range s.wanted {
		e := &entry{target: t}
		s.entries[s.id(t)] = e
		if err := s.fill(e); err != nil && !e.absent() {
			s.discard()
			s.tellBind(t, err)
			return err
		}
		if s.port == 0 && e.socket != nil {
			s.port = e.socket.port()
		}
	}
	return nil
}

// discard closes all sockets, which nobody has seen yet.
func (s *set) discard() {
	for _, e := range s.entries {
		if e.socket != nil {
			e.socket.close()
		}
	}
	clear(s.entries)
}

// fill makes the socket of an entry. The thread that makes the set is where it has to be.
func (s *set) fill(e *entry) error {
	socket, err := s.bind(e.target, s.port)
	if err != nil {
		e.failed(err)
		return err
	}
	e.succeeded(socket)
	return nil
}

// suffices says whether what could be bound is enough: one socket, or the prospect of one. Without any the port is not
// known where it shall be a free one.
func (s *set) suffices() error {
	s.ipv6 = slices.ContainsFunc(s.wanted, func(t Target) bool { return t.Addr.Is6() && s.entries[s.id(t)].socket != nil })
	for _, e := range s.entries {
		if e.socket != nil {
			return nil
		}
	}
	s.ipv6 = s.spec.Family != IPv4
	if s.source != nil && s.port != 0 && s.waits() {
		return nil
	}
	return s.opError(s.noAddress())
}

// waits says whether an address will be usable by itself.
func (s *set) waits() bool {
	for i, a := range addresses(s.now) {
		if s.spec.Judge(i, a).Decision == Wait {
			return true
		}
	}
	return false
}

func (s *set) noAddress() error {
	for _, t := range s.wanted {
		if err := s.entries[s.id(t)].retry.err; err != nil {
			return fmt.Errorf("%w: %w", ErrNoAddress, err)
		}
	}
	return fmt.Errorf("%w: %s", ErrNoAddress, s.spec.reasons(s.now))
}
