package alliface

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/tcpsock"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/trace"
)

// inside runs f in the namespace and fails the test with the error that it returns.
func inside(t testing.TB, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Fatal(err)
	}
}

func sysctl(t testing.TB, ns *testenv.Netns, setting string) {
	t.Helper()
	testenv.Tool(t, "sysctl")
	if out, err := ns.Command("sysctl", "-qw", setting).CombinedOutput(); err != nil {
		t.Fatalf("sysctl %s: %v\n%s", setting, err, out)
	}
}

// A house is a listener in a network namespace that echoes, and a neighbour.
type house struct {
	*Listener
	t         testing.TB
	ns        *testenv.Netns
	neighbour *testenv.Netns
	log       *log
	port      uint16
}

// newHouse listens by spec in a namespace whose interface v0 leads to v1 of the neighbour. Nothing has an address but lo
// and, by itself, the link-local ones.
func newHouse(t testing.TB, spec Spec) *house {
	t.Helper()
	h := &house{t: t, ns: testenv.NewNetns(t), neighbour: testenv.NewNetns(t), log: &log{}}
	h.ns.Veth("v0", h.neighbour, "v1")
	return h.open(spec)
}

func (h *house) open(spec Spec) *house {
	h.t.Helper()
	return h.openWith(spec, sockopt.DefaultListen())
}

func (h *house) openWith(spec Spec, o sockopt.Listen) *house {
	h.t.Helper()
	ctx := trace.With(h.t.Context(), h.log.trace)
	inside(h.t, h.ns, func() (err error) {
		h.Listener, err = NewServer(spec, 0, o).Listen(ctx)
		return err
	})
	var served sync.WaitGroup
	served.Go(func() { echo(h.Listener, &served) })
	h.t.Cleanup(func() {
		_ = h.Close()
		served.Wait()
	})
	h.port = h.Addr().(*net.TCPAddr).AddrPort().Port()
	return h
}

// echo sends back what each connection brings.
func echo(ln net.Listener, served *sync.WaitGroup) {
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		served.Go(func() {
			defer c.Close()
			_ = c.SetDeadline(time.Now().Add(4 * patience))
			_, _ = io.Copy(c, c)
		})
	}
}

// await waits until the listener has the addresses for which ok is true.
func (h *house) await(what string, ok func([]string) bool) {
	h.t.Helper()
	awaitAddrs(h.t, h.Listener, what, ok)
}

// dial connects to the port at host, from inside ns. Package net's names of interfaces are those of another namespace,
// so the zone is an index.
func (h *house) dial(ns *testenv.Netns, host string) (c *net.TCPConn, err error) {
	h.t.Helper()
	remote := netip.AddrPortFrom(netip.MustParseAddr(host), h.port)
	ns.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c, err = tcpsock.NewDialer(tcpsock.DialSpec{Options: sockopt.DefaultDial()}).Dial(ctx, remote)
	})
	return c, err
}

// reach connects and exchanges bytes.
func (h *house) reach(ns *testenv.Netns, hosts ...string) {
	h.t.Helper()
	for _, host := range hosts {
		c, err := h.dial(ns, host)
		if err != nil {
			h.t.Errorf("connect to %s: %v", host, err)
			continue
		}
		if err := ask(c); err != nil {
			h.t.Errorf("exchange with %s: %v", host, err)
		}
		_ = c.Close()
	}
}

// freeBound is another program's listener on an address that may not be there yet.
func freeBound(h *house, host string) (*net.TCPListener, error) {
	options := sockopt.DefaultListen()
	options.FreeBind = true
	spec := tcpsock.ListenSpec{Addr: netip.AddrPortFrom(netip.MustParseAddr(host), h.port), Options: options}
	return tcpsock.NewListener(spec).Listen(context.Background())
}

// ask exchanges bytes with an echo.
func ask(c net.Conn) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, "hello"); err != nil {
		return err
	}
	answer := make([]byte, 5)
	if _, err := io.ReadFull(c, answer); err != nil {
		return err
	}
	if string(answer) != "hello" {
		return errors.New("the answer is " + strconv.Quote(string(answer)))
	}
	return nil
}

// linkLocal returns the link-local address of an interface, without a zone.
func linkLocal(t testing.TB, ns *testenv.Netns, name string) string {
	t.Helper()
	var address string
	for deadline := time.Now().Add(patience); address == ""; {
		inside(t, ns, func() error {
			s, err := netif.Interfaces(context.Background())
			if err != nil {
				return err
			}
			i, _ := s.ByName(name)
			for _, a := range i.Addrs {
				if addr := a.Prefix.Addr(); addr.Is6() && addr.IsLinkLocalUnicast() && a.Usable() {
					address = addr.String()
				}
			}
			if address == "" && time.Now().After(deadline) {
				return errors.New(name + " has no link-local address")
			}
			return nil
		})
		runtime.Gosched()
	}
	return address
}

// descriptors counts the open ones of this process.
func descriptors(t testing.TB) int {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

func (l *log) has(line string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.ContainsFunc(l.events, func(e trace.Event) bool { return e.Detail == line })
}

// awaitLine waits until a tracer has heard it.
func (l *log) await(t testing.TB, line string) {
	t.Helper()
	for deadline := time.Now().Add(patience); !l.has(line); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nobody told %q but %q", line, l.lines())
		}
	}
}
