package udp_test

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/plugins/udp"
	"golang.org/x/sys/unix"
)

func TestFlowInfoAndGROGiveAConn(t *testing.T) {
	for _, option := range []string{"flowInfo=yes", "gro=yes", "flowInfo=yes:gro=yes"} {
		server := listen(t, "udp:0:127.0.0.1:"+option)
		c, ok := server.(*udp.Conn)
		if !ok {
			t.Fatalf("%s: ListenPacket gives a %T", option, server)
		}
		if _, ok := c.NetConn().(*net.UDPConn); !ok {
			t.Errorf("%s: the Conn wraps a %T", option, c.NetConn())
		}
		speak(t, dial(t, "udp:127.0.0.1:"+portOf(server)), server, "127.0.0.1")
	}
}

// Programs that know only net.PacketConn answer from the address that was asked, too.
func TestAnAnswerComesFromTheAddressThatWasAsked(t *testing.T) {
	for _, wildcard := range []string{"0.0.0.0", "[::]:v6only=no"} {
		server := listen(t, "udp:port=0:flowInfo=yes:interface="+wildcard)
		for _, address := range []string{"127.0.0.1", "127.0.0.2", "127.9.9.9"} {
			// The client hears nobody else.
			speak(t, dial(t, "udp:"+address+":"+portOf(server)+":127.0.0.1"), server, "127.0.0.1")
		}
	}
}

func TestAnAddrTellsTheWay(t *testing.T) {
	const label = 0x3a5a5
	server := listen(t, "udp:0:[::]:flowInfo=yes").(*udp.Conn)
	client := dial(t, "udp:host=[::1]:port="+portOf(server)+":flowLabel=239013") // 0x3a5a5
	if _, err := client.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	n, from, err := server.ReadFromAddr(make([]byte, 10))
	if err != nil || n != 5 {
		t.Fatalf("read %d bytes, %v", n, err)
	}
	local := client.LocalAddr().(*net.UDPAddr).AddrPort()
	lo, _ := net.InterfaceByName("lo")
	if from.AddrPort != local || from.Local != netip.IPv6Loopback() || from.Interface != lo.Index || from.FlowLabel != label {
		t.Errorf("heard %+v", from)
	}
	if from.String() != local.String() || from.Network() != "udp" {
		t.Errorf("heard %s of the network %s", from, from.Network())
	}
}

func TestWhatCanBeWrittenTo(t *testing.T) {
	peer := listen(t, "udp:0:127.0.0.1")
	addr := peer.LocalAddr().(*net.UDPAddr)
	c := listen(t, "udp:0:flowInfo=yes").(*udp.Conn)
	for name, to := range map[string]net.Addr{
		"an Addr":         udp.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(addr.Port))},
		"an *Addr":        &udp.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(addr.Port))},
		"a *net.UDPAddr":  addr,
		"its IPv6 form":   &net.UDPAddr{IP: addr.IP.To16(), Port: addr.Port},
		"a source chosen": udp.Addr{AddrPort: netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(addr.Port)), Local: netip.MustParseAddr("127.0.0.5")},
	} {
		if n, err := c.WriteTo([]byte("hello"), to); n != 5 || err != nil {
			t.Errorf("%s: wrote %d bytes, %v", name, n, err)
			continue
		}
		n, from, err := peer.ReadFrom(make([]byte, 10))
		if n != 5 || err != nil || name == "a source chosen" && from.String() != "127.0.0.5:"+portOf(c) {
			t.Errorf("%s: the peer read %d bytes from %v, %v", name, n, from, err)
		}
	}
	for name, to := range map[string]net.Addr{
		"nothing":      nil,
		"a TCP addr":   &net.TCPAddr{IP: addr.IP, Port: addr.Port},
		"the zero":     udp.Addr{},
		"no address":   &net.UDPAddr{},
		"IPv6 on IPv4": &net.UDPAddr{IP: net.IPv6loopback, Port: 9},
	} {
		n, err := c.WriteTo([]byte("hello"), to)
		var op *net.OpError
		if n != 0 || !errors.As(err, &op) {
			t.Errorf("%s: wrote %d bytes, %v", name, n, err)
		}
	}
	if _, err := c.WriteTo(nil, &net.TCPAddr{}); !errors.Is(err, syscall.EINVAL) {
		t.Errorf("err = %v", err)
	}
}

func TestTruncatedAndEmptyDatagrams(t *testing.T) {
	for _, option := range []string{"flowInfo=yes", "gro=yes"} {
		server := listen(t, "udp:0:127.0.0.1:"+option).(*udp.Conn)
		client := dial(t, "udp:127.0.0.1:"+portOf(server))
		for _, text := range []string{"", "long word", "", "word"} {
			if _, err := client.Write([]byte(text)); err != nil {
				t.Fatal(err)
			}
			buf := make([]byte, 4)
			n, from, err := server.ReadFrom(buf)
			if string(buf[:n]) != text[:min(4, len(text))] || from == nil || from.String() != client.LocalAddr().String() {
				t.Errorf("%s: %q is read as %q from %v", option, text, buf[:n], from)
			}
			if errors.Is(err, udp.ErrTruncated) != (len(text) > 4) || len(text) <= 4 && err != nil {
				t.Errorf("%s: %q: %v", option, text, err)
			}
		}
	}
}

// Both ends by strings: one write, and as many reads as datagrams.
func TestGSOAndGRO(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "[::1]"} {
		for _, receiver := range []string{"gro=yes", "gro=no", "gro=yes:flowInfo=yes"} {
			server := listen(t, "udp:port=0:rcvbuf=1M:interface="+address+":"+receiver)
			for option, segment := range map[string]int{"gso=yes": 1232, "gso=yes:segment=1K": 1024} {
				client := dial(t, "udp:host="+address+":port="+portOf(server)+":"+option)
				sent := bytes.Repeat([]byte("0123456789abcdef"), 1000)
				if _, err := client.Write(sent); err != nil {
					t.Fatal(err)
				}
				var got []byte
				buf := make([]byte, 2000)
				for len(got) < len(sent) {
					n, from, err := server.ReadFrom(buf)
					if want := min(segment, len(sent)-len(got)); err != nil || n != want || from.String() != client.LocalAddr().String() {
						t.Fatalf("%s, %s: read %d bytes from %v, %v; want %d", receiver, option, n, from, err, want)
					}
					got = append(got, buf[:n]...)
				}
				if !bytes.Equal(got, sent) {
					t.Errorf("%s, %s: other bytes arrive", receiver, option)
				}
			}
		}
	}
}

func TestAConnForwardsToItsSocket(t *testing.T) {
	c := listen(t, "udp:0:127.0.0.1:flowInfo=yes").(*udp.Conn)
	for name, err := range map[string]error{
		"SetReadBuffer":    c.SetReadBuffer(30000),
		"SetWriteBuffer":   c.SetWriteBuffer(40000),
		"SetReadDeadline":  c.SetReadDeadline(time.Now().Add(patience)),
		"SetWriteDeadline": c.SetWriteDeadline(time.Now().Add(patience)),
		"SetDeadline":      c.SetDeadline(time.Now().Add(patience)),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for code, want := range map[int]int{unix.SO_RCVBUF: 60000, unix.SO_SNDBUF: 80000} {
		got := 0
		_ = raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, code) })
		if err != nil || got != want {
			t.Errorf("option %d is %d, %v; want %d", code, got, err, want)
		}
	}
	_ = c.Close()
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the second Close: %v", err)
	}
	if _, from, err := c.ReadFrom(make([]byte, 1)); from != nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close: %v, %v", from, err)
	}
}
