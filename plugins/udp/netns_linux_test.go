package udp_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
)

// A village is a host, and two others that have one and the same link-local address, each at an interface of the host.
type village struct {
	host  *testenv.Netns
	twins map[string]*testenv.Netns // by the host's interface
}

func newVillage(t *testing.T) village {
	t.Helper()
	v := village{testenv.NewNetns(t), map[string]*testenv.Netns{}}
	for i, dev := range []string{"left", "right"} {
		twin := testenv.NewNetns(t)
		// Package net's list of interfaces is one for the process: no other test has these indexes.
		v.host.IP(fmt.Sprintf("link add %s index %d type veth peer name %s netns %s", dev, 5000+i, dev, twin.Name))
		for ns, address := range map[*testenv.Netns]string{v.host: "fe80::1", twin: "fe80::2"} {
			// The one address is also the one that an answer comes from.
			ns.IP("link set " + dev + " addrgenmode none up")
			ns.IP("addr add " + address + "/64 dev " + dev + " nodad")
		}
		v.twins[dev] = twin
	}
	return v
}

// in runs f in the namespace and reports its error.
func in(t *testing.T, ns *testenv.Netns, f func() error) {
	t.Helper()
	var err error
	ns.Do(func() { err = f() })
	if err != nil {
		t.Error(err)
	}
}

// LI-14: the peers are told apart by the zone, the answer goes to the one that asked, on a plain socket too.
func TestTwoPeersWithOneLinkLocalAddress(t *testing.T) {
	v := newVillage(t)
	socat := testenv.Tool(t, "socat")
	for _, option := range []string{"flowInfo=no", "flowInfo=yes", "gro=yes", "gro=yes:flowInfo=yes"} {
		var server net.PacketConn
		in(t, v.host, func() (err error) {
			server, err = open("udp:port=7000:interface=[::]:" + option)
			return err
		})
		if server == nil {
			return
		}
		for _, dev := range []string{"left", "right", "left"} {
			// Each twin has the same address and port.
			twin := start(t, v.twins[dev].Command(socat, "-",
				fmt.Sprintf("UDP6:[fe80::1%%%s]:7000,bind=[fe80::2%%%s]:7001", dev, dev)))
			_, _ = io.WriteString(twin.in, dev)
			in(t, v.host, func() error {
				buf := make([]byte, 100)
				n, from, err := server.ReadFrom(buf)
				if err != nil {
					return err
				}
				want := netip.AddrPortFrom(netip.MustParseAddr("fe80::2").WithZone(dev), 7001)
				if from.String() != want.String() || string(buf[:n]) != dev {
					t.Errorf("%s: heard %q from %v, want it from %v", option, buf[:n], from, want)
				}
				_, err = server.WriteTo([]byte("to "+dev), from)
				return err
			})
			if got := twin.word(t, len("to "+dev)); got != "to "+dev {
				t.Errorf("%s: the peer at %s hears %q", option, dev, got)
			}
			twin.stop()
		}
		_ = server.Close()
	}
}

// open is listen for a namespace, where a failure must not end the test.
func open(s string) (net.PacketConn, error) {
	server, err := plugins.NewPacketServer(s)
	if err != nil {
		return nil, err
	}
	c, err := server.ListenPacket(context.Background())
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(patience))
}

// The string itself has the zone, on both sides.
func TestAStringWithAZone(t *testing.T) {
	v := newVillage(t)
	for _, dev := range []string{"left", "right"} {
		var server net.PacketConn
		in(t, v.twins[dev], func() (err error) {
			server, err = open("udp:port=7000:interface=[fe80::2%" + dev + "]")
			return err
		})
		if server == nil {
			return
		}
		if want := "[fe80::2%" + dev + "]:7000"; server.LocalAddr().String() != want { // LI-15
			t.Errorf("LocalAddr is %v, want %s", server.LocalAddr(), want)
		}
		in(t, v.host, func() error {
			client, err := plugins.NewPacketClient("udp:host=[fe80::2%" + dev + "]:port=7000:bindAddress=[fe80::1%" + dev + "]")
			if err != nil {
				return err
			}
			c, err := client.DialPacket(t.Context())
			if err != nil {
				return err
			}
			defer func() { _ = c.Close() }()
			_, err = c.Write([]byte(dev))
			return err
		})
		buf := make([]byte, 10)
		if n, _, err := server.ReadFrom(buf); err != nil || string(buf[:n]) != dev {
			t.Errorf("read %q, %v", buf[:n], err)
		}
		_ = server.Close()
	}
}
