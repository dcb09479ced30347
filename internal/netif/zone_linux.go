package netif

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// The question is RTM_GETLINK for one interface, rtnetlink(7). SIOCGIFINDEX is a little cheaper, but for a name that
// does not exist it makes the kernel load a module of that name when the caller is privileged; a zone comes from a
// description, and a description must not load modules.

func lookupZone(zone string) (int, error) {
	q, err := openQuery()
	if err != nil {
		return 0, err
	}
	defer q.close()
	link, err := q.link(0, zone)
	if !errors.Is(err, ErrNoInterface) {
		return link.index, err
	}
	index, ok := decimalIndex(zone)
	if !ok {
		return 0, ErrNoInterface
	}
	_, err = q.link(index, "")
	return index, err
}

func lookupIndex(index int) (string, error) {
	if index <= 0 {
		return "", ErrNoInterface
	}
	q, err := openQuery()
	if err != nil {
		return "", err
	}
	defer q.close()
	link, err := q.link(index, "")
	return link.name, err
}

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
func (q query) link(index int, name string) (link, error) {
	if index == 0 && !validName(name) {
		return link{}, ErrNoInterface
	}
	// An answer longer than buf loses its end only, and the name is the first attribute.
	var buf [1024]byte
	if err := q.write(appendLinkQuery(buf[:0], index, name)); err != nil {
		return link{}, err
	}
	n, err := q.read(buf[:])
	if err != nil {
		return link{}, err
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
