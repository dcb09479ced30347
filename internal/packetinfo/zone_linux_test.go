package packetinfo_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/testenv"
)

// twins is a host with the interfaces left and right, and another one that has the same address at the other end of both.
type twins struct{ here, there *testenv.Netns }

const (
	hereAddr  = "fe80::1"
	thereAddr = "fe80::2"
)

func newTwins(t *testing.T) twins {
	t.Helper()
	w := twins{testenv.NewNetns(t), testenv.NewNetns(t)}
	for _, side := range []string{"left", "right"} {
		w.join(side)
	}
	return w
}

func (w twins) join(side string) {
	w.here.Veth(side, w.there, side+"there")
	w.here.IP("addr add " + hereAddr + "/64 dev " + side + " nodad")
	w.there.IP("addr add " + thereAddr + "/64 dev " + side + "there nodad")
}

// index asks as the program does, not ip, whose answer may have warnings about the namespaces of others in it.
func index(ns *testenv.Netns, dev string) (index int) {
	ns.Do(func() {
		if i, err := net.InterfaceByName(dev); err == nil {
			index = i.Index
		}
	})
	return index
}

// sockets returns a server here and the clients there, one on each side, with one and the same address and port.
func (w twins) sockets(t *testing.T, o packetinfo.Options) (server *packetinfo.Conn, clients map[string]*packetinfo.Conn) {
	inNetns(t, w.here, func() (err error) {
		server, err = open("udp6", "[::]:7000", o)
		return err
	})
	clients = map[string]*packetinfo.Conn{}
	for _, side := range []string{"left", "right"} {
		inNetns(t, w.there, func() (err error) {
			address := netip.MustParseAddr(thereAddr).WithZone(strconv.Itoa(index(w.there, side+"there")))
			clients[side], err = open("udp6", netip.AddrPortFrom(address, 7001).String(), o)
			return err
		})
	}
	if t.Failed() {
		t.FailNow()
	}
	t.Cleanup(func() {
		_ = server.Close()
		for _, c := range clients {
			_ = c.Close()
		}
	})
	return server, clients
}

// LI-14: two hosts with one address, told apart by the zone; the answer to each goes to it.
func TestTheSameLinkLocalAddressOnTwoInterfacesIsTwoPeers(t *testing.T) {
	w := newTwins(t)
	for _, o := range []packetinfo.Options{tellInfo, {Info: true, GRO: true}} {
		server, clients := w.sockets(t, o)
		for _, side := range []string{"left", "right", "left"} {
			client := clients[side]
			inNetns(t, w.there, func() error {
				to := packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr(hereAddr).WithZone(side+"there"), 7000)}
				_, err := client.Write([]byte(side), to)
				return err
			})
			heard, err := answer(server, client, side)
			if err != nil {
				t.Error(err)
				continue
			}
			want := netip.AddrPortFrom(netip.MustParseAddr(thereAddr).WithZone(side), 7001)
			if heard.Peer != want || heard.Interface != index(w.here, side) || heard.Local != netip.MustParseAddr(hereAddr) {
				t.Errorf("%s: heard %+v, want %v and interface %d", side, heard, want, index(w.here, side))
			}
		}
		_ = server.Close()
		for _, c := range clients {
			_ = c.Close()
		}
	}
}

// answer reads text from the client, answers as it was heard, and has the client read the answer.
func answer(server, client *packetinfo.Conn, text string) (packetinfo.Info, error) {
	buf := make([]byte, 100)
	n, heard, err := server.Read(buf)
	if err != nil || string(buf[:n]) != text {
		return heard, fmt.Errorf("server read %q: %w", buf[:n], err)
	}
	if _, err := server.Write(buf[:n], heard); err != nil {
		return heard, err
	}
	n, _, err = client.Read(buf)
	if err != nil || string(buf[:n]) != text {
		return heard, fmt.Errorf("client read %q: %w", buf[:n], err)
	}
	return heard, nil
}

// Finding 13: package net's list of zones is old for up to a minute. Here the interface of one index gets another name,
// and the interface of one name another index, between two datagrams.
func TestTheZoneIsThatOfTheMoment(t *testing.T) {
	w := newTwins(t)
	server, clients := w.sockets(t, tellInfo)
	count := 0
	tell := func(side, zone string) {
		t.Helper()
		count++
		to := packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr(hereAddr), 7000), Interface: index(w.there, side+"there")}
		heard := deliver(t, w.there, clients[side], to, server, fmt.Sprintf("hello %d", count))
		if heard.Peer.Addr().Zone() != zone {
			t.Errorf("heard %v, want zone %s", heard.Peer, zone)
		}
		// A caller who kept the address only finds the same peer.
		deliver(t, w.here, server, packetinfo.Info{Peer: heard.Peer}, clients[side], fmt.Sprintf("again %d", count))
	}
	tell("left", "left")
	for _, name := range []string{"renamed", "left"} { // the kernel renames only what is down, or IFF_LIVE_RENAME_OK
		old := map[string]string{"renamed": "left", "left": "renamed"}[name]
		w.here.IP("link set " + old + " down")
		w.here.IP("link set " + old + " name " + name)
		w.here.IP("link set " + name + " up")
		w.here.IP("addr replace " + hereAddr + "/64 dev " + name + " nodad")
		tell("left", name)
	}
	was := index(w.here, "right")
	tell("right", "right")
	_ = clients["right"].Close()
	w.here.IP("link del right")
	w.join("right")
	if index(w.here, "right") == was {
		t.Fatal("the interface has the index that it had before")
	}
	inNetns(t, w.there, func() (err error) {
		address := netip.MustParseAddr(thereAddr).WithZone(strconv.Itoa(index(w.there, "rightthere")))
		clients["right"], err = open("udp6", netip.AddrPortFrom(address, 7001).String(), tellInfo)
		return err
	})
	tell("right", "right")
}

// deliver sends text from the namespace until it is heard: a link that has just come up loses the first datagrams.
func deliver(t *testing.T, ns *testenv.Netns, from *packetinfo.Conn, to packetinfo.Info, at *packetinfo.Conn, text string) packetinfo.Info {
	t.Helper()
	buf := make([]byte, 100)
	for stop := time.Now().Add(patience); time.Now().Before(stop); {
		inNetns(t, ns, func() error {
			_, err := from.Write([]byte(text), to)
			return err
		})
		_ = at.UDP().SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		n, heard, err := at.Read(buf)
		for err == nil && string(buf[:n]) != text { // what was sent twice before
			n, heard, err = at.Read(buf)
		}
		if err == nil {
			return heard
		}
		if n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("read %d bytes, %v", n, err)
		}
	}
	t.Fatalf("%q does not arrive", text)
	return packetinfo.Info{}
}

// The zone wins over the index, which is only where the interface was the last time.
func TestWhichWayOut(t *testing.T) {
	w := newTwins(t)
	server, clients := w.sockets(t, tellInfo)
	left, right := index(w.here, "left"), index(w.here, "right")
	tests := []struct {
		zone  string
		index int
		side  string
	}{
		{"left", 0, "left"},
		{"right", 0, "right"},
		{"left", left, "left"},
		{"left", right, "left"},
		{"", right, "right"},
		{strconv.Itoa(right), 0, "right"},
		{strconv.Itoa(right), left, "right"},
		{"left", 999, "left"},
	}
	for range 2 { // the second time from memory
		for _, tt := range tests {
			to := packetinfo.Info{Interface: tt.index}
			to.Peer = netip.AddrPortFrom(netip.MustParseAddr(thereAddr).WithZone(tt.zone), 7001)
			inNetns(t, w.here, func() error {
				_, err := server.Write([]byte("hello"), to)
				return err
			})
			if n, _, err := clients[tt.side].Read(make([]byte, 100)); n != 5 || err != nil {
				t.Errorf("%+v: %d bytes, %v", tt, n, err)
			}
		}
	}
}

func TestAnIPv6GroupIsAnsweredFromAnAddressOfTheHost(t *testing.T) {
	w := newTwins(t)
	server, clients := w.sockets(t, tellInfo)
	for _, side := range []string{"right", "left"} {
		group := netip.MustParseAddr("ff02::1")
		inNetns(t, w.there, func() error {
			to := packetinfo.Info{Peer: netip.AddrPortFrom(group.WithZone(side+"there"), 7000)}
			_, err := clients[side].Write([]byte(side), to)
			return err
		})
		heard, err := answer(server, clients[side], side)
		if err != nil || heard.Local != group || heard.Interface != index(w.here, side) {
			t.Errorf("%s: heard %+v, %v", side, heard, err)
		}
	}
}

func TestNoAllocationADatagramWithAZone(t *testing.T) {
	w := newTwins(t)
	server, clients := w.sockets(t, tellInfo)
	inNetns(t, w.there, func() error {
		to := packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr(hereAddr).WithZone("leftthere"), 7000)}
		buf := make([]byte, 100)
		allocs := testing.AllocsPerRun(500, func() {
			_, err1 := clients["left"].Write([]byte("hello"), to)
			n, heard, err2 := server.Read(buf)
			_, err3 := server.Write(buf[:n], heard)
			_, _, err4 := clients["left"].Read(buf)
			for _, err := range [...]error{err1, err2, err3, err4} {
				if err != nil {
					t.Error(err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%v allocations for two writes and two reads", allocs)
		}
		return nil
	})
}

// LI-14
func TestAZoneThatIsNone(t *testing.T) {
	c := listen(t, "[::1]:0", tellInfo)
	to := packetinfo.Info{Peer: netip.MustParseAddrPort("[fe80::1%nowhere]:9")}
	_, err := c.Write([]byte("x"), to)
	var op *net.OpError
	if !errors.Is(err, netif.ErrNoInterface) || !errors.As(err, &op) || op.Addr.String() != "[fe80::1%nowhere]:9" {
		t.Errorf("err = %v", err)
	}
}
