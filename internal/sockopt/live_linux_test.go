package sockopt_test

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/testenv"
	"golang.org/x/sys/unix"
)

func bothFamilies(t *testing.T, f func(t *testing.T, network string)) {
	for _, network := range []string{"tcp4", "tcp6"} {
		t.Run(network, func(t *testing.T) { f(t, network) })
	}
}

func TestOptionsReachTheKernelAndAcceptedSockets(t *testing.T) {
	common := sockopt.Common{
		ReusePort: true, FreeBind: true, BindToDevice: "lo", TOS: ptr[uint8](0x48), TrafficClass: ptr[uint8](0x88),
		RcvBuf: ptr(20000), SndBuf: ptr(30000),
	}
	bothFamilies(t, func(t *testing.T, network string) {
		want := []string{"reusePort=yes", "freeBind=yes", "bindToDevice=lo", "rcvbuf=40000", "sndbuf=60000",
			"congestion=reno", "userTimeout=1.235s"}
		if network == "tcp4" {
			want = append(want, "tos=72")
		} else {
			want = append(want, "trafficClass=136", "v6only=yes")
		}
		listenOptions, dialOptions := sockopt.DefaultListen(), sockopt.DefaultDial()
		listenOptions.Common, dialOptions.Common = common, common
		for _, s := range []*sockopt.Stream{&listenOptions.Stream, &dialOptions.Stream} {
			s.Congestion, s.UserTimeout = "reno", 1234567*time.Microsecond
		}
		listenOptions.DeferAccept, listenOptions.FastOpen = 2500*time.Millisecond, true
		ln := listen(t, listenOptions, network)
		expect(t, ln, append(want, "deferAccept=3s", "fastOpen=yes", "backlog="+backlogOf(t))...)
		dialOptions.Priority = ptr[uint32](5)
		client := dial(t, dialOptions, ln)
		expect(t, client, append(want, "priority=5")...)
		if _, err := client.Write([]byte("x")); err != nil { // for deferAccept
			t.Fatal(err)
		}
		expect(t, accept(t, ln), want...)
	})
}

// backlogOf is what package net gives to listen(2).
func backlogOf(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	for _, s := range sockopt.Read(ln.(*net.TCPListener)) {
		if s.Name == "backlog" {
			return s.Value
		}
	}
	t.Fatal("no backlog")
	return ""
}

func TestPrivilegedOptions(t *testing.T) {
	testenv.Root(t)
	bothFamilies(t, func(t *testing.T, network string) {
		o, d := sockopt.DefaultListen(), sockopt.DefaultDial()
		o.Mark, o.Transparent = ptr[uint32](0xfffffff1), true
		d.Common, d.Priority = o.Common, ptr[uint32](0x10002)
		ln := listen(t, o, network)
		client, server := dial(t, d, ln), accept(t, ln)
		expect(t, ln, "mark=4294967281", "transparent=yes")
		expect(t, client, "mark=4294967281", "priority=65538", "transparent=yes")
		expect(t, server, "mark=4294967281", "transparent=yes")
	})
}

// LI-09
func TestReusePortIsForBoth(t *testing.T) {
	o := sockopt.DefaultListen()
	o.ReusePort = true
	first := listen(t, o, "tcp4")
	config := o.Config()
	second, err := config.Listen(t.Context(), "tcp4", first.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}

func TestDatagramOptions(t *testing.T) {
	o := sockopt.Packet{Common: sockopt.Common{TOS: ptr[uint8](4), RcvBuf: ptr(5000), BindToDevice: "lo"}}
	config := net.ListenConfig{Control: o.Control()}
	c, err := config.ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	expect(t, c.(*net.UDPConn), "tos=4", "rcvbuf=10000", "bindToDevice=lo", "reusePort=no")
	for _, s := range sockopt.Read(c.(*net.UDPConn)) {
		switch s.Name {
		case "nodelay", "keepAlive", "congestion", "backlog", "mptcp", "v6only":
			t.Errorf("an IPv4 datagram socket has %s", s.Name)
		}
	}
}

func TestDualStackTakesTheOptionsOfBothFamilies(t *testing.T) {
	o := sockopt.DefaultListen()
	o.TOS, o.TrafficClass = ptr[uint8](0x48), ptr[uint8](0x88)
	config := o.Config()
	options := config.Control
	config.Control = func(_, address string, c syscall.RawConn) error {
		if err := sockopt.SetDualStack(c); err != nil {
			return err
		}
		return options("tcp", address, c)
	}
	ln, err := config.Listen(t.Context(), "tcp6", "[::]:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	got := -1
	raw, err := ln.(*net.TCPListener).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TOS) }); err != nil {
		t.Fatal(err)
	}
	if err != nil || got != 0x48 {
		t.Errorf("IP_TOS of the dual-stack socket is %#x, %v", got, err)
	}
	expect(t, ln.(*net.TCPListener), "trafficClass=136", "v6only=no")
}

func TestMultipathTCPOnlyWhereAsked(t *testing.T) {
	o := sockopt.DefaultListen()
	expect(t, listen(t, o, "tcp4"), "mptcp=no") // package net's default is yes
	o.MPTCP = true
	ln := listen(t, o, "tcp4")
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, unix.IPPROTO_MPTCP)
	testenv.Need(t, err == nil, "multipath TCP in the kernel")
	_ = unix.Close(fd)
	expect(t, ln, "mptcp=yes", "backlog="+backlogOf(t))
	dialOptions := sockopt.DefaultDial()
	client, server := dial(t, dialOptions, ln), accept(t, ln)
	expect(t, client, "mptcp=no")
	expect(t, server, "mptcp=no")
	dialOptions.MPTCP = true
	client, server = dial(t, dialOptions, ln), accept(t, ln)
	expect(t, client, "mptcp=yes")
	expect(t, server, "mptcp=yes")
}

func TestErrorsNameTheParameterAndTheReason(t *testing.T) {
	tests := []struct {
		name string
		o    sockopt.Listen
		is   error
		want string
	}{
		{"no such device", sockopt.Listen{Common: sockopt.Common{BindToDevice: "nosuchif"}}, syscall.ENODEV,
			"socket option bindToDevice=nosuchif: setsockopt: no such device"},
		{"no such algorithm", sockopt.Listen{Stream: sockopt.Stream{Congestion: "nosuch"}}, syscall.ENOENT,
			"socket option congestion=nosuch: the kernel has no such algorithm: setsockopt: no such file or directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			config := tt.o.Config()
			_, err := config.Listen(t.Context(), "tcp4", "127.0.0.1:0")
			var op *net.OpError
			if !errors.Is(err, tt.is) || !errors.As(err, &op) || op.Err.Error() != tt.want {
				t.Errorf("err = %v\nwant %v", err, tt.want)
			}
		})
	}
}

func TestFastOpenSendsDataWithTheSYN(t *testing.T) {
	ns := testenv.NewNetns(t)
	if out, err := ns.Command("sysctl", "-qw", "net.ipv4.tcp_fastopen=3").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	listenOptions, dialOptions := sockopt.DefaultListen(), sockopt.DefaultDial()
	listenOptions.FastOpen, dialOptions.FastOpen = true, true
	ns.Do(func() {
		config := listenOptions.Config()
		ln, err := config.Listen(t.Context(), "tcp4", "127.0.0.1:0")
		if err != nil {
			t.Error(err)
			return
		}
		defer func() { _ = ln.Close() }()
		// The first connection gets the cookie, the second uses it.
		for i, want := range []bool{false, true} {
			got, err := fastOpenOnce(dialOptions, ln.(*net.TCPListener))
			if err != nil || got != want {
				t.Errorf("connection %d: data was acknowledged with the SYN: %v, %v; want %v", i, got, err, want)
			}
		}
	})
}

const synDataAcked = 32 // TCPI_OPT_SYN_DATA of linux/tcp.h

func fastOpenOnce(o sockopt.Dial, ln *net.TCPListener) (bool, error) {
	dialer := o.Dialer()
	dialer.Timeout = patience
	c, err := dialer.Dial("tcp4", ln.Addr().String())
	if err != nil {
		return false, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := c.Write([]byte("hello")); err != nil {
		return false, err
	}
	_ = ln.SetDeadline(time.Now().Add(patience))
	s, err := ln.Accept()
	if err != nil {
		return false, err
	}
	defer func() { _ = s.Close() }()
	_ = s.SetDeadline(time.Now().Add(patience))
	buf := make([]byte, 5)
	if n, err := s.Read(buf); err != nil || string(buf[:n]) != "hello" {
		return false, fmt.Errorf("read %q, %v", buf[:n], err)
	}
	var info *unix.TCPInfo
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return false, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.SOL_TCP, unix.TCP_INFO) })
	if err := errors.Join(err, failed); err != nil {
		return false, err
	}
	return info.Options&synDataAcked != 0, nil
}

func TestBindLateSharesAPortAmongPeers(t *testing.T) {
	ns := testenv.NewNetns(t)
	if out, err := ns.Command("sysctl", "-qw", "net.ipv4.ip_local_port_range=50000 50000").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	late := func(_, _ string, c syscall.RawConn) error { return sockopt.BindLate(c) }
	ns.Do(func() {
		for _, late := range []func(string, string, syscall.RawConn) error{nil, late} {
			dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 9)}, Control: late}
			if err := dialTwo(&dialer); (err == nil) != (late != nil) {
				t.Errorf("with BindLate %v: %v", late != nil, err)
			}
		}
	})
}

// dialTwo connects to two peers at once, which must share the one port that there is.
func dialTwo(dialer *net.Dialer) error {
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		ln, err := net.Listen("tcp4", host+":40000")
		if err != nil {
			return err
		}
		defer func() { _ = ln.Close() }()
		c, err := dialer.Dial("tcp4", host+":40000")
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
	}
	return nil
}
