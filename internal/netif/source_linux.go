package netif

import (
	"context"
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// AddrFlagsKnown says whether the system tells the flags of addresses. Where it does not, a tentative address looks
// usable, and only the EADDRNOTAVAIL of bind shows that it is not.
const AddrFlagsKnown = true

const (
	// eventBuffer is what may wait to be read, in bytes of the kernel's memory: some hundred events.
	eventBuffer = 1 << 20
	// largestEvent is larger than any event that is sent today; a larger one counts as lost.
	largestEvent = 8 << 10
	// drainLimit ends the forgetting where more comes than can be read.
	drainLimit = 1 << 16
)

var errLost = errors.New("netlink events were lost")

func listOnce(ctx context.Context) ([]Interface, error) {
	q, err := openQuery()
	if err != nil {
		return nil, err
	}
	defer q.close()
	return q.list(ctx)
}

func newSource() (source, error) { return newNetlinkSource(eventBuffer) }

// A netlinkSource is a subscription to the changes of links and addresses, and a socket to ask for all of them. Both
// are opened together, so that both are in the namespace of one thread.
//
// The subscribing functions of package netlink are not used because they hide what matters here: one socket for links
// and addresses keeps their order, the loss of events must be noticed, and no length in a message is trusted.
type netlinkSource struct {
	file   *os.File
	conn   syscall.RawConn
	query  query
	buf    []byte
	events []event
	lost   bool // the queue of events has a hole
}

func newNetlinkSource(receiveBuffer int) (*netlinkSource, error) {
	q, err := openQuery()
	if err != nil {
		return nil, err
	}
	file, err := subscribe(receiveBuffer)
	if err != nil {
		q.close()
		return nil, err
	}
	conn, err := file.SyscallConn()
	if err != nil {
		_ = file.Close()
		q.close()
		return nil, err
	}
	return &netlinkSource{file: file, conn: conn, query: q, buf: make([]byte, largestEvent)}, nil
}

func subscribe(receiveBuffer int) (*os.File, error) {
	q, err := openQuery()
	if err != nil {
		return nil, err
	}
	groups := uint32(1<<(unix.RTNLGRP_LINK-1) | 1<<(unix.RTNLGRP_IPV4_IFADDR-1) | 1<<(unix.RTNLGRP_IPV6_IFADDR-1))
	if err := unix.Bind(int(q), &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}); err != nil {
		q.close()
		return nil, os.NewSyscallError("subscribe to netlink", err)
	}
	// A process without the privilege gets what net.core.rmem_max allows; less means only that events are lost sooner.
	if unix.SetsockoptInt(int(q), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = unix.SetsockoptInt(int(q), unix.SOL_SOCKET, unix.SO_RCVBUF, receiveBuffer)
	}
	return os.NewFile(uintptr(q), "netlink"), nil
}

// list forgets first, where events were lost, those that wait: without the lost ones they lead elsewhere. And until all
// are read, the kernel drops any new one without a word.
func (s *netlinkSource) list(ctx context.Context) ([]Interface, error) {
	if s.lost {
		if err := s.drain(); err != nil {
			return nil, err
		}
		s.lost = false
	}
	return s.query.list(ctx)
}

func (s *netlinkSource) drain() error {
	if err := s.file.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	for range drainLimit {
		n, err := s.read(false)
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
	}
	return errLost
}

func (s *netlinkSource) receive(deadline time.Time) ([]event, error) {
	s.events = s.events[:0]
	if err := s.file.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	n, err := s.read(true)
	if err != nil {
		return nil, err
	}
	if n >= 0 {
		s.events, err = parseEvents(s.events, s.buf[:n])
	}
	if n < 0 || err != nil {
		s.lost = true
		return nil, errLost
	}
	return s.events, nil
}

// read reads one datagram of the kernel's. It returns 0 where there is none and wait is false, and -1 where events were
// lost: ENOBUFS, or any other failure of the system's, or a datagram larger than the buffer.
func (s *netlinkSource) read(wait bool) (n int, err error) {
	var failure error
	err = s.conn.Read(func(fd uintptr) bool {
		n, failure = s.readKernel(int(fd))
		return failure != unix.EAGAIN || !wait
	})
	switch {
	case err != nil:
		return 0, err // closed, or the deadline
	case failure == unix.EAGAIN:
		return 0, nil
	case failure != nil || n > len(s.buf):
		return -1, nil
	}
	return n, nil
}

// readKernel skips what another process sent.
func (s *netlinkSource) readKernel(fd int) (int, error) {
	for {
		n, from, err := unix.Recvfrom(fd, s.buf, unix.MSG_TRUNC)
		if err == unix.EINTR {
			continue
		}
		if sender, ok := from.(*unix.SockaddrNetlink); err == nil && (!ok || sender.Pid != 0) {
			continue
		}
		return n, err
	}
}

func (s *netlinkSource) close() { _ = s.file.Close() }

func (s *netlinkSource) release() { s.query.close() }
