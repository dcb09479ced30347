package flowlabel_test

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/flowlabel"
)

func TestALabelOutOfRangeIsRefusedBeforeTheSocketIsTouched(t *testing.T) {
	for _, label := range []uint32{0, flowlabel.Max + 1, 1<<32 - 1} {
		err := flowlabel.Connect(nil, label, flowlabel.Address{}, flowlabel.Address{})
		if err == nil || !strings.Contains(err.Error(), "flow label") {
			t.Errorf("label %#x: %v", label, err)
		}
	}
}

func TestSystemsWithoutFlowLabelsSaySo(t *testing.T) {
	if runtime.GOOS == "linux" {
		t.Skip("Linux has flow labels")
	}
	dialer := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return flowlabel.Connect(c, 1, flowlabel.Address{}, flowlabel.Address{AddrPort: netip.MustParseAddrPort("[::1]:9")})
	}}
	_, err := dialer.Dial("tcp6", "[::1]:9")
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), runtime.GOOS) {
		t.Errorf("err = %v", err)
	}
}
