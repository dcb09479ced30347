package netif

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// A query is a netlink socket for questions that the kernel has answered when the send returns, so that no read ever
// waits. It belongs to the network namespace of the thread that opened it.
type query int

func openQuery() (query, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return -1, os.NewSyscallError("socket(AF_NETLINK)", err)
	}
	return query(fd), nil
}

func (q query) close() { _ = unix.Close(int(q)) }

// link asks for the interface with the given index or, where that is 0, the given name.
func (q query) link(index int, name string) (Interface, error) {
	if index == 0 && !validName(name) {
		return Interface{}, ErrNoInterface
	}
	// An answer longer than buf loses its end only, and the name is the first attribute.
	var buf [1024]byte
	if err := q.write(appendLinkQuery(buf[:0], 0, index, name)); err != nil {
		return Interface{}, err
	}
	n, err := q.read(buf[:])
	if err != nil {
		return Interface{}, err
	}
	return parseLinkAnswer(buf[:n])
}

func (q query) write(request []byte) error {
	for {
		if _, err := unix.Write(int(q), request); err != unix.EINTR {
			return os.NewSyscallError("write netlink", err)
		}
	}
}

func (q query) read(buf []byte) (int, error) {
	for {
		if n, err := unix.Read(int(q), buf); err != unix.EINTR {
			return n, os.NewSyscallError("read netlink", err)
		}
	}
}

// errInterrupted says that something changed while all was listed, so that the list may have a hole (NLM_F_DUMP_INTR).
var errInterrupted = errors.New("the interfaces changed too often to be listed")

const (
	listTries = 100
	// listBuffer is as much as the kernel puts into one part of a list.
	listBuffer = 32 << 10
)

// list returns all interfaces with their addresses, in the order of their indexes.
func (q query) list(ctx context.Context) ([]Interface, error) {
	buf := make([]byte, listBuffer)
	for range listTries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, err := q.all(buf)
		if err == nil {
			return assemble(events), nil
		}
		if !errors.Is(err, errInterrupted) {
			return nil, err
		}
	}
	return nil, errInterrupted
}

// all asks for the links first: of the addresses that it then reads none lacks its link, except where a link was added
// in between.
func (q query) all(buf []byte) ([]event, error) {
	var request [128]byte
	events, err := q.dump(nil, appendLinkQuery(request[:0], unix.NLM_F_DUMP, 0, ""), buf)
	if err != nil {
		return nil, err
	}
	return q.dump(events, appendAddrQuery(request[:0]), buf)
}

// dump sends the request for a list and appends what is in it to events.
func (q query) dump(events []event, request, buf []byte) ([]event, error) {
	q.drain(buf)
	if err := q.write(request); err != nil {
		return nil, err
	}
	d := dumped{events: events}
	for !d.done {
		n, err := q.read(buf)
		if err != nil {
			return nil, err
		}
		d.take(buf[:n])
	}
	return d.events, d.err
}

// drain reads what a list that failed half-way has left; until then the kernel refuses to begin another.
func (q query) drain(buf []byte) {
	for range drainLimit {
		if _, err := q.read(buf); errors.Is(err, unix.EAGAIN) {
			return
		}
	}
}
