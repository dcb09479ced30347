package alliface

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/internal/udpsock"
)

// postOffice echoes datagrams in a namespace.
func postOffice(t *testing.T, ns *testenv.Netns, spec Spec) *PacketConn {
	t.Helper()
	var c *PacketConn
	inside(t, ns, func() (err error) {
		c, err = NewPacketServer(spec, sockopt.Packet{}).ListenPacket(context.Background())
		return err
	})
	var running sync.WaitGroup
	running.Go(func() {
		buf := make([]byte, 2000)
		for {
			n, info, err := c.Read(buf)
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				_, _ = c.Write(buf[:n], info)
			}
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		running.Wait()
	})
	return c
}

// question asks at an address from inside ns, by a socket that takes answers from that address only.
func question(ns *testenv.Netns, host string, port uint16) error {
	var c *net.UDPConn
	var err error
	ns.Do(func() {
		spec := udpsock.DialSpec{}
		c, err = udpsock.NewDialer(spec).Dial(context.Background(), netip.AddrPortFrom(netip.MustParseAddr(host), port))
	})
	if err != nil {
		return err
	}
	defer c.Close()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, err = c.Write([]byte("question")); err != nil {
			return err
		}
		_ = c.SetReadDeadline(time.Now().Add(time.Second)) // it may have been lost
		buf := make([]byte, 100)
		var n int
		if n, err = c.Read(buf); err == nil && string(buf[:n]) == "question" {
			return nil
		}
	}
	return err
}

func TestDatagramsAreAnsweredFromTheAddressThatWasAsked(t *testing.T) {
	for _, mode := range []string{Each, Wildcard} {
		t.Run(mode, func(t *testing.T) {
			testenv.Need(t, packetinfo.Supported, "control messages of datagrams")
			ns, neighbour := testenv.NewNetns(t), testenv.NewNetns(t)
			ns.Veth("v0", neighbour, "v1")
			neighbour.IP("addr add 192.0.2.2/24 dev v1")
			neighbour.IP("addr add 2001:db8::2/64 dev v1 nodad")
			for _, a := range []string{"192.0.2.1/24", "192.0.2.9/24", "2001:db8::1/64", "2001:db8::9/64"} {
				ns.IP("addr add " + a + " dev v0")
			}
			linkLocal(t, neighbour, "v1")
			local := linkLocal(t, ns, "v0")
			spec := everywhere(0)
			spec.Mode = mode
			c := postOffice(t, ns, spec)
			if mode == Each {
				awaitAddrs(t, c, "at the beginning", are("127.0.0.1", "::1", "192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9", local+"%v0"))
			}
			port := c.LocalAddr().(*net.UDPAddr).AddrPort().Port()
			hosts := []string{"192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9", local + "%v1"}
			ns.IP("addr add 192.0.2.10/24 dev v0") // LI-12
			if mode == Each {
				awaitAddrs(t, c, "one more", has("192.0.2.10"))
			}
			for _, host := range append(hosts, "192.0.2.10") {
				if err := question(neighbour, host, port); err != nil {
					t.Errorf("%s: %v", host, err)
				}
			}
			for _, host := range []string{"127.0.0.1", "::1", "192.0.2.9", "2001:db8::9", local + "%v0"} {
				if err := question(ns, host, port); err != nil {
					t.Errorf("%s from inside: %v", host, err)
				}
			}
		})
	}
}
