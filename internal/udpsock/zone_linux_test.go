package udpsock_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/internal/udpsock"
)

// A pair is two namespaces joined by the interfaces here and there.
type pair struct {
	here, there         *testenv.Netns
	hereAddr, thereAddr netip.Addr // link-local, without a zone
}

func newPair(t *testing.T) pair {
	t.Helper()
	p := pair{here: testenv.NewNetns(t), there: testenv.NewNetns(t)}
	p.hereAddr, p.thereAddr = netip.MustParseAddr("fe80::aaaa"), netip.MustParseAddr("fe80::bbbb")
	p.join()
	return p
}

// lastIndex is of an interface. Package net's list of names and indexes is one for the whole process, and old for up
// to a minute, so that no two interfaces here have the same index.
var lastIndex atomic.Int32

func (p pair) join() {
	first := 1000 + 2*lastIndex.Add(1)
	p.here.IP(fmt.Sprintf("link add here index %d type veth peer name there index %d netns %s", first, first+1, p.there.Name))
	for _, end := range []struct {
		ns   *testenv.Netns
		dev  string
		addr netip.Addr
	}{{p.here, "here", p.hereAddr}, {p.there, "there", p.thereAddr}} {
		end.ns.IP("link set " + end.dev + " addrgenmode none up") // so that an answer has but one address to come from
		end.ns.IP("addr add " + end.addr.String() + "/64 dev " + end.dev + " nodad")
	}
}

// do runs f in the namespace and reports its error.
func do(t *testing.T, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Error(err)
	}
}

// index asks as the program does, not ip, whose answer may have warnings about the namespaces of others in it.
func index(ns *testenv.Netns, dev string) (index string) {
	ns.Do(func() {
		if i, err := net.InterfaceByName(dev); err == nil {
			index = strconv.Itoa(i.Index)
		}
	})
	return index
}

// LI-14, LI-15: a reply to a link-local sender just works.
func TestTheZoneIsInTheAddressesAsItWasGiven(t *testing.T) {
	p := newPair(t)
	for zoneHere, zoneThere := range map[string]string{"here": "there", index(p.here, "here"): index(p.there, "there")} {
		want := p.thereAddr.WithZone(zoneThere)
		var server *net.UDPConn
		do(t, p.there, func() (err error) {
			server, err = udpsock.NewListener(udpsock.ListenSpec{Addr: netip.AddrPortFrom(want, 0)}).Listen(t.Context())
			return err
		})
		if server == nil {
			return
		}
		ready(t, server)
		if addrOf(server).Addr() != want {
			t.Errorf("LocalAddr is %v, want %v", server.LocalAddr(), want)
		}
		remote := netip.AddrPortFrom(p.thereAddr.WithZone(zoneHere), portOf(server))
		for _, local := range []netip.Addr{{}, p.hereAddr.WithZone(zoneHere)} {
			for _, label := range []uint32{0, 0x1234} {
				s := udpsock.DialSpec{LocalAddr: local, FlowLabel: label}
				do(t, p.here, func() error {
					c, err := udpsock.NewDialer(s).Dial(t.Context(), remote)
					if err != nil {
						return err
					}
					defer func() { _ = c.Close() }()
					_ = c.SetDeadline(time.Now().Add(patience))
					if c.RemoteAddr().String() != remote.String() || addrOf(c).Addr() != p.hereAddr.WithZone(zoneHere) {
						t.Errorf("from %v to %v, want from %v to %v", c.LocalAddr(), c.RemoteAddr(), local, remote)
					}
					return converse(p, c, server)
				})
			}
		}
		_ = server.Close()
	}
}

// converse is speak for two namespaces. What the server writes it writes in its own.
func converse(p pair, c, server *net.UDPConn) error {
	if _, err := c.Write([]byte("question")); err != nil {
		return err
	}
	var err error
	p.there.Do(func() {
		var from netip.AddrPort
		if _, from, err = server.ReadFromUDPAddrPort(make([]byte, 100)); err == nil && from.Addr() != p.hereAddr.WithZone("there") {
			err = fmt.Errorf("server heard %v", from)
		}
		if err == nil {
			_, err = server.WriteToUDPAddrPort([]byte("answer"), from)
		}
	})
	if err != nil {
		return err
	}
	buf := make([]byte, 100)
	n, err := c.Read(buf)
	if err == nil && string(buf[:n]) != "answer" {
		err = fmt.Errorf("client read %q", buf[:n])
	}
	return err
}

// LI-14
func TestZonesThatAreWrong(t *testing.T) {
	p := newPair(t)
	local := p.hereAddr.String()
	for address, is := range map[string]error{
		"[" + local + "]:0":    syscall.EINVAL,
		"[" + local + "%lo]:0": syscall.EADDRNOTAVAIL,
		"[" + local + "%1]:0":  syscall.EADDRNOTAVAIL,
	} {
		do(t, p.here, func() error {
			c, err := udpsock.NewListener(listenSpec(address)).Listen(t.Context())
			if err == nil {
				_ = c.Close()
			}
			if want := "listen udp6 " + address + ": bind: " + is.Error(); !errors.Is(err, is) || err.Error() != want {
				return fmt.Errorf("%s: %v\nwant %s", address, err, want)
			}
			return nil
		})
	}
}

// Finding 13. The same Listener and Dialer find the interface of that name each time, wherever it is.
func TestAnInterfaceThatWasMadeAnewIsFoundAtOnce(t *testing.T) {
	p := newPair(t)
	spec := udpsock.ListenSpec{Addr: netip.AddrPortFrom(p.hereAddr.WithZone("here"), 0)}
	listener, dialer := udpsock.NewListener(spec), udpsock.NewDialer(udpsock.DialSpec{LocalAddr: p.hereAddr.WithZone("here")})
	for round := range 3 {
		do(t, p.here, func() error {
			server, err := listener.Listen(t.Context())
			if err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			defer func() { _ = server.Close() }()
			c, err := dialer.Dial(t.Context(), addrOf(server))
			if err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			defer func() { _ = c.Close() }()
			_ = server.SetDeadline(time.Now().Add(patience))
			if _, err := c.Write([]byte("hello")); err != nil {
				return fmt.Errorf("round %d: %w", round, err)
			}
			_, from, err := server.ReadFromUDPAddrPort(make([]byte, 10))
			if err == nil && from != addrOf(c) {
				err = fmt.Errorf("from %v, not %v", from, c.LocalAddr())
			}
			return err
		})
		was := index(p.here, "here")
		p.here.IP("link del here")
		p.join()
		if index(p.here, "here") == was {
			t.Fatal("the interface has the index that it had before")
		}
	}
}

// A wildcard socket goes through the end of an interface, and hears and answers when there is one again.
func TestAWildcardOutlivesItsInterfaces(t *testing.T) {
	p := newPair(t)
	var server *net.UDPConn
	do(t, p.there, func() (err error) {
		server, err = udpsock.NewListener(listenSpec("[::]:7000")).Listen(t.Context())
		return err
	})
	if server == nil {
		return
	}
	ready(t, server)
	for range 2 {
		do(t, p.here, func() error {
			c, err := udpsock.NewDialer(dialSpec()).Dial(t.Context(), netip.AddrPortFrom(p.thereAddr.WithZone("here"), 7000))
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(patience))
			return converse(p, c, server)
		})
		waiting := make(chan error)
		go func() {
			_, err := server.Read(make([]byte, 10))
			waiting <- err
		}()
		p.there.IP("link del there") // while the read waits
		p.join()
		do(t, p.here, func() error {
			c, err := udpsock.NewDialer(dialSpec()).Dial(t.Context(), netip.AddrPortFrom(p.thereAddr.WithZone("here"), 7000))
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			_, err = c.Write([]byte("hello"))
			return err
		})
		if err := <-waiting; err != nil {
			t.Errorf("the read that waited: %v", err)
		}
	}
}

// What is bound to one interface's address is not told of its end, finding 12: reads go on waiting, writes fail.
func TestASocketOnAnInterfaceThatIsGone(t *testing.T) {
	p := newPair(t)
	var c *net.UDPConn
	do(t, p.here, func() (err error) {
		s := udpsock.DialSpec{LocalAddr: p.hereAddr.WithZone("here")}
		c, err = udpsock.NewDialer(s).Dial(t.Context(), netip.AddrPortFrom(p.thereAddr.WithZone("here"), 9))
		return err
	})
	if c == nil {
		return
	}
	ready(t, c)
	p.here.IP("link del here")
	if _, err := c.Write([]byte("hello")); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("write: %v", err)
	}
	_ = c.SetReadDeadline(time.Unix(1, 0))
	if _, err := c.Read(make([]byte, 10)); err == nil {
		t.Error("a read gives something")
	}
}
