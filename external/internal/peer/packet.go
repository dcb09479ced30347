package peer

import (
	"errors"
	"net"
	"sync"

	"github.com/epctl/endpoint/external/internal/wire"
)

// maxDatagram is the largest datagram that is relayed, and more than the internet has.
const maxDatagram = 65535

// A datagrams is a relayed connection of datagrams.
type datagrams struct{ *relayed }

func newDatagrams(conn net.Conn, o opened) (net.Conn, error) {
	r, err := newRelayed(conn, o)
	if err != nil {
		return nil, err
	}
	r.watch()
	return datagrams{r}, nil
}

// watch closes the pair when the other process is done with it, of which sockets for datagrams tell nothing.
func (r *relayed) watch() {
	go func() {
		select {
		case <-r.ticket.Ended():
		case <-r.ticket.Lost():
		case <-r.closed:
			return
		}
		_ = r.pair.CloseRead()
		_ = r.pair.CloseWrite()
	}()
}

func (d datagrams) Read(b []byte) (int, error) {
	n, err := d.pair.Read(b)
	return n, d.error("read", d.lost(n, err))
}

func (d datagrams) Write(b []byte) (int, error) {
	n, err := d.pair.Write(b)
	return n, d.error("write", err)
}

// lost is the error of a read that gave nothing because the pair was closed, not because a datagram was empty.
func (r *relayed) lost(n int, err error) error {
	if n > 0 || err != nil {
		return err
	}
	if reason := r.reason(); reason != nil {
		return reason
	}
	select {
	case <-r.ticket.Ended():
		return net.ErrClosed
	default:
		return nil
	}
}

// A packets is a relayed socket whose datagrams have addresses: they travel before them.
type packets struct {
	*relayed
	buffers *sync.Pool
}

func newPackets(conn net.Conn, o opened) (net.PacketConn, error) {
	r, err := newRelayed(conn, o)
	if err != nil {
		return nil, err
	}
	r.watch()
	return packets{r, newFrames()}, nil
}

func (p packets) ReadFrom(b []byte) (int, net.Addr, error) {
	buf := p.buffers.Get().(*[]byte)
	defer p.buffers.Put(buf)
	n, err := p.pair.Read(*buf)
	if err = p.lost(n, err); err != nil {
		return 0, nil, p.error("read", err)
	}
	addr, payload, err := splitFrame((*buf)[:n])
	if err != nil {
		return 0, nil, p.error("read", err)
	}
	return copy(b, payload), addr, nil
}

func (p packets) WriteTo(b []byte, addr net.Addr) (int, error) {
	if addr == nil || len(b) > maxDatagram {
		return 0, p.error("write", errors.New("a datagram needs an address, and has at most 65535 bytes"))
	}
	buf := p.buffers.Get().(*[]byte)
	defer p.buffers.Put(buf)
	frame, err := appendFrame((*buf)[:0], addr, b)
	if err == nil {
		_, err = p.pair.Write(frame)
	}
	if err != nil {
		return 0, p.error("write", err)
	}
	return len(b), nil
}

// A frame is a datagram with its address before it: a byte with the length of the network's name, the name, a byte with
// the length of the address' text, the text, and the datagram.
func appendFrame(frame []byte, addr net.Addr, payload []byte) ([]byte, error) {
	for _, text := range []string{addr.Network(), addr.String()} {
		if len(text) > 255 {
			return nil, errors.New("the address is longer than 255 bytes")
		}
		frame = append(append(frame, byte(len(text))), text...)
	}
	return append(frame, payload...), nil
}

func splitFrame(frame []byte) (net.Addr, []byte, error) {
	network, rest, ok := splitText(frame)
	text, payload, ok2 := splitText(rest)
	if !ok || !ok2 {
		return nil, nil, errors.New("a datagram came without its address")
	}
	addr, err := (&wire.Address{Network: network, Text: text}).Addr()
	return addr, payload, err
}

func splitText(b []byte) (text string, rest []byte, ok bool) {
	if len(b) == 0 || len(b) < 1+int(b[0]) {
		return "", nil, false
	}
	end := 1 + int(b[0])
	return string(b[1:end]), b[end:], true
}

func newFrames() *sync.Pool {
	return &sync.Pool{New: func() any { b := make([]byte, 2*256+maxDatagram); return &b }}
}
