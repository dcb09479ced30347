package packetinfo

import "sync"

// A splitter gives back one at a time the datagrams that the kernel gave all at once.
type splitter struct {
	mu      sync.Mutex // held while a read waits: others could only wait too
	buf     []byte
	rest    []byte // of buf, not read yet
	segment int    // length of each datagram in rest but the last; 0 where there is only one
	info    Info
}

func (s *splitter) read(c *Conn, b []byte) (int, Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.rest) == 0 || c.raw.Read(nothing) != nil {
		var m message
		if err := c.receive(s.buf, &m); err != nil {
			return 0, m.Info, err
		}
		s.rest, s.segment, s.info = s.buf[:m.n], m.segment, m.Info
	}
	datagram := s.next()
	n := copy(b, datagram)
	if n < len(datagram) {
		return n, s.info, c.opError("read", s.info.Peer, ErrTruncated)
	}
	return n, s.info, nil
}

// nothing makes a read that fails where the socket is closed or the deadline is over, and else does nothing.
func nothing(uintptr) bool { return true }

// next takes one datagram off the rest. An empty datagram is a rest of nothing, which is read only once.
func (s *splitter) next() []byte {
	n := len(s.rest)
	if s.segment > 0 {
		n = min(n, s.segment)
	}
	datagram := s.rest[:n]
	s.rest = s.rest[n:]
	return datagram
}
