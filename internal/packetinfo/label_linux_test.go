package packetinfo_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/packetinfo"
	"github.com/epctl/endpoint/internal/testenv"
	"golang.org/x/sys/unix"
)

const label = 0x5a5a5

func TestTheFlowLabelIsToldAndSentBack(t *testing.T) {
	ns := testenv.NewNetns(t)
	inNetns(t, ns, func() error {
		server, client, err := labelPair()
		if err != nil {
			return err
		}
		defer func() { _, _ = server.Close(), client.Close() }()
		return exchangeLabel(server, client, label)
	})
}

func labelPair() (server, client *packetinfo.Conn, err error) {
	server, err = open("udp6", "[::]:0", tellInfo)
	if err != nil {
		return nil, nil, err
	}
	client, err = open("udp6", "[::1]:0", tellInfo)
	return server, client, err
}

func exchangeLabel(server, client *packetinfo.Conn, back uint32) error {
	buf := make([]byte, 100)
	to := packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr("::1"), portOf(server)), FlowLabel: label}
	if _, err := client.Write([]byte("hello"), to); err != nil {
		return err
	}
	_, heard, err := server.Read(buf)
	if err != nil || heard.FlowLabel != label {
		return fmt.Errorf("server heard %+v: %w", heard, err)
	}
	if _, err := server.Write([]byte("hello"), heard); err != nil {
		return err
	}
	_, heard, err = client.Read(buf)
	if err != nil || back != 0 && heard.FlowLabel != back {
		return fmt.Errorf("client heard %+v: %w", heard, err)
	}
	return nil
}

// While any socket of the namespace holds a label for itself alone, the kernel takes only labels that are leased. That
// must not let anybody stop the answers of a server, but a label that the caller asks for is not left out in silence.
func TestALabelHeardIsGivenUpWhereTheKernelRefusesIt(t *testing.T) {
	ns := testenv.NewNetns(t)
	inNetns(t, ns, func() error {
		server, client, err := labelPair()
		if err != nil {
			return err
		}
		defer func() { _, _ = server.Close(), client.Close() }()
		to := packetinfo.Info{Peer: netip.AddrPortFrom(netip.MustParseAddr("::1"), portOf(server)), FlowLabel: label}
		if _, err := client.Write([]byte("hello"), to); err != nil {
			return err
		}
		_, heard, err := server.Read(make([]byte, 100))
		if err != nil {
			return err
		}
		release, err := holdExclusively(0x777)
		if err != nil {
			return err
		}
		defer release()
		if _, err := server.Write([]byte("hello"), heard); err != nil {
			return fmt.Errorf("answer: %w", err)
		}
		if _, _, err = client.Read(make([]byte, 100)); err != nil {
			return err
		}
		if _, err := client.Write([]byte("hello"), to); !errors.Is(err, syscall.EINVAL) {
			return fmt.Errorf("with a label of its own: %v", err)
		}
		return nil
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
