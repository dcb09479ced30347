package sockaddr_test

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/sockaddr"
)

type hint struct {
	netip.AddrPort
	way int
}

func (hint) Network() string { return "udp" }

// A recorder keeps what was written to whom.
type recorder struct{ to hint }

func (r *recorder) LocalAddr() net.Addr { return &net.UDPAddr{Port: 7} }
func (r *recorder) WriteToAddr(b []byte, to hint) (int, error) {
	r.to = to
	return len(b), nil
}

func bare(peer netip.AddrPort) hint { return hint{AddrPort: peer} }

func TestWriteToTakesAddressesOfBothKinds(t *testing.T) {
	peer := netip.MustParseAddrPort("192.0.2.1:7")
	full := hint{peer, 3}
	for _, tt := range []struct {
		to   net.Addr
		want hint
	}{
		{full, full},
		{&full, full},
		{net.UDPAddrFromAddrPort(peer), hint{peer, 0}},
		{&net.UDPAddr{IP: net.ParseIP("::ffff:192.0.2.1"), Port: 7}, hint{peer, 0}}, // LI-08
		{(*net.UDPAddr)(nil), hint{}},
	} {
		var r recorder
		if n, err := sockaddr.WriteTo(&r, []byte("word"), tt.to, bare); n != 4 || err != nil || r.to != tt.want {
			t.Errorf("%#v: wrote %d bytes to %+v, %v", tt.to, n, r.to, err)
		}
	}
}

func TestWriteToRefusesAddressesOfOthers(t *testing.T) {
	for _, tt := range []struct {
		to   net.Addr
		want string
	}{
		{nil, "write udp :7: "},
		{(*hint)(nil), "write udp :7: "},
		{&net.TCPAddr{Port: 9}, "write udp :7->:9: "},
	} {
		n, err := sockaddr.WriteTo(&recorder{}, []byte("word"), tt.to, bare)
		var op *net.OpError
		if n != 0 || !errors.As(err, &op) || !errors.Is(err, syscall.EINVAL) {
			t.Errorf("%#v: wrote %d bytes, %v", tt.to, n, err)
		} else if want := tt.want + syscall.EINVAL.Error(); err.Error() != want {
			t.Errorf("%#v: %v, want %s", tt.to, err, want)
		}
	}
}

func TestReadFromGivesAPointerOrNil(t *testing.T) {
	full := hint{netip.MustParseAddrPort("192.0.2.1:7"), 3}
	n, addr, err := sockaddr.ReadFrom(4, full, net.ErrClosed)
	if got, ok := addr.(*hint); n != 4 || !ok || *got != full || err != net.ErrClosed {
		t.Errorf("%d, %#v, %v", n, addr, err)
	}
	if n, addr, err := sockaddr.ReadFrom(0, hint{}, net.ErrClosed); n != 0 || addr != nil || err != net.ErrClosed {
		t.Errorf("%d, %#v, %v", n, addr, err)
	}
}
