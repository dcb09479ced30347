package flowlabel_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/flowlabel"
	"github.com/epctl/endpoint/internal/testenv"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// dialLabel is what a dialer of TCP does with the package.
func dialLabel(label uint32, local, remote netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
		return flowlabel.Connect(c, label, flowlabel.Address{AddrPort: local}, flowlabel.Address{AddrPort: remote})
	}}
	return dialer.Dial("tcp6", remote.String())
}

func TestTheSYNAndTheDataCarryTheLabel(t *testing.T) {
	ns := testenv.NewNetns(t)
	const label = 0x5a5a5
	for name, local := range map[string]string{"any local address": "", "a local address": "[::1]:0", "a local port": "[::]:40123"} {
		ns.Do(func() {
			var from netip.AddrPort
			if local != "" {
				from = netip.MustParseAddrPort(local)
			}
			seen, addr, err := exchange(t, label, from)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if from.Port() != 0 && addr.Port() != from.Port() {
				t.Errorf("%s: local address is %v", name, addr)
			}
			for i, p := range seen {
				if p.label != label || p.syn != (i == 0) {
					t.Errorf("%s: packet %d of %+v", name, i, seen)
				}
			}
		})
	}
}

// exchange connects with the label, sends "one" and "two", and returns the packets of the client.
func exchange(t *testing.T, label uint32, local netip.AddrPort) (seen []packet, addr netip.AddrPort, err error) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return nil, addr, err
	}
	defer func() { _ = ln.Close() }()
	captured, err := newCapture()
	if err != nil {
		return nil, addr, err
	}
	defer captured.close()
	remote := ln.Addr().(*net.TCPAddr).AddrPort()
	c, err := dialLabel(label, local, remote)
	if err != nil {
		return nil, addr, err
	}
	defer func() { _ = c.Close() }()
	if _, ok := c.(*net.TCPConn); !ok {
		t.Errorf("the connection is a %T", c)
	}
	_ = ln.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	s, err := ln.Accept()
	if err != nil {
		return nil, addr, err
	}
	defer func() { _ = s.Close() }()
	_ = s.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 3)
	for _, text := range []string{"one", "two"} {
		if _, err := c.Write([]byte(text)); err != nil {
			return nil, addr, err
		}
		if _, err := io.ReadFull(s, buf); err != nil || string(buf) != text {
			t.Errorf("read %q, %v", buf, err)
		}
	}
	return captured.until(t, remote, "two"), c.LocalAddr().(*net.TCPAddr).AddrPort(), nil
}

func TestDatagramsCarryTheLabel(t *testing.T) {
	ns := testenv.NewNetns(t)
	const label = 0x12345
	ns.Do(func() {
		peer, err := net.ListenPacket("udp6", "[::1]:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = peer.Close() }()
		captured, err := newCapture()
		if err != nil {
			t.Error(err)
			return
		}
		defer captured.close()
		c, err := net.Dial("udp6", peer.LocalAddr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = c.Close() }()
		remote := peer.LocalAddr().(*net.UDPAddr).AddrPort()
		raw, err := c.(*net.UDPConn).SyscallConn()
		if err == nil {
			err = flowlabel.Connect(raw, label, flowlabel.Address{}, flowlabel.Address{AddrPort: remote})
		}
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := c.Write([]byte("hello")); err != nil {
			t.Error(err)
		}
		for _, p := range captured.until(t, remote, "hello") {
			if p.label != label {
				t.Errorf("packet %+v", p)
			}
		}
	})
}

func TestOneLabelServesManyConnections(t *testing.T) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	testenv.Need(t, err == nil, "IPv6 on the loopback interface")
	defer func() { _ = ln.Close() }()
	for range 40 {
		c, err := dialLabel(0x4321, netip.AddrPort{}, ln.Addr().(*net.TCPAddr).AddrPort())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
}

func TestErrorsOfTheKernelAreTold(t *testing.T) {
	ns := testenv.NewNetns(t)
	if out, err := ns.Command("sysctl", "-qw", "net.ipv6.flowlabel_state_ranges=1").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	closed := netip.MustParseAddrPort("[::1]:9")
	ns.Do(func() {
		release, err := holdExclusively(0x777)
		if err != nil {
			t.Error(err)
			return
		}
		defer release()
		tests := []struct {
			name          string
			label         uint32
			local, remote netip.AddrPort
			is            error
			want          string
		}{
			{"a label that the kernel keeps", 0x80000, netip.AddrPort{}, closed, syscall.ERANGE, "sysctl net.ipv6.flowlabel_state_ranges"},
			{"a label that is held exclusively", 0x777, netip.AddrPort{}, closed, syscall.EPERM, "another program holds it"},
			{"nobody listens", 1, netip.AddrPort{}, closed, syscall.ECONNREFUSED, "dial tcp6 [::1]:9: connect: connection refused"},
			{"a foreign local address", 1, netip.MustParseAddrPort("[2001:db8::1]:0"), closed, syscall.EADDRNOTAVAIL, "bind: "},
			{"no route", 1, netip.AddrPort{}, netip.MustParseAddrPort("[2001:db8::1]:9"), syscall.ENETUNREACH, "connect: "},
		}
		for _, tt := range tests {
			c, err := dialLabel(tt.label, tt.local, tt.remote)
			if err == nil {
				_ = c.Close()
			}
			var op *net.OpError
			if !errors.Is(err, tt.is) || !errors.As(err, &op) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	})
}

// holdExclusively leases a label so that nobody else can have it.
func holdExclusively(label uint32) (release func(), err error) {
	fd, err := unix.Socket(unix.AF_INET6, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	var request [32]byte // in6_flowlabel_req
	request[15] = 1      // ::1
	binary.BigEndian.PutUint32(request[16:], label)
	request[21] = 1                                  // IPV6_FL_S_EXCL
	binary.NativeEndian.PutUint16(request[22:], 1|2) // IPV6_FL_F_CREATE, IPV6_FL_F_EXCL
	const labelManager = 32
	if err := unix.SetsockoptString(fd, unix.SOL_IPV6, labelManager, string(request[:])); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return func() { _ = unix.Close(fd) }, nil
}
