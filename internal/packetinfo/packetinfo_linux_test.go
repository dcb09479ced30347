package packetinfo_test

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 20 * time.Second

// open binds a socket with the options, in the network namespace of the calling thread.
func open(network, address string, o packetinfo.Options) (*packetinfo.Conn, error) {
	config := net.ListenConfig{Control: func(_, _ string, c syscall.RawConn) error { return o.Set(network, c) }}
	c, err := config.ListenPacket(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(patience))
	return packetinfo.New(c.(*net.UDPConn), o)
}

func listen(tb testing.TB, address string, o packetinfo.Options) *packetinfo.Conn {
	tb.Helper()
	network := "udp6"
	if netip.MustParseAddrPort(address).Addr().Is4() {
		network = "udp4"
	}
	c, err := open(network, address, o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = c.Close() })
	return c
}

func listenBare(tb testing.TB, address string) *net.UDPConn {
	return listen(tb, address, packetinfo.Options{}).UDP()
}

func addrOf(c *packetinfo.Conn) netip.AddrPort { return c.UDP().LocalAddr().(*net.UDPAddr).AddrPort() }
