package peer

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/epctl/endpoint/external/internal/fdpass"
)

// streamBuffer is how much of a stream is moved at once.
const streamBuffer = 64 << 10

// errorDelay keeps a socket for datagrams that fails all the time from taking a processor.
const errorDelay = time.Millisecond

// A relay moves what comes between a connection and the pair whose other end the other process has.
type relay struct {
	pair   *net.UnixConn
	conn   io.Closer
	line   *fdpass.Conn
	call   uint64
	closed <-chan struct{} // the other process has closed its end
	ending sync.Once
}

func (r *relay) close() {
	r.line.Unrelay(r.call)
	_ = r.pair.Close()
	_ = r.conn.Close()
}

// end tells that nothing more comes from the connection, before the pair tells it.
func (r *relay) end(err error) {
	r.ending.Do(func() {
		why := ""
		if err != nil {
			if why = err.Error(); why == "" {
				why = "failed"
			}
		}
		_ = r.line.End(r.call, why)
	})
}

// stream relays in both directions until both have ended, the other process has closed its end, or it is gone.
func (r *relay) stream(conn net.Conn) {
	defer r.close()
	incoming, outgoing := make(chan struct{}), make(chan bool, 1)
	go func() {
		defer close(incoming)
		r.fromConn(conn)
	}()
	go func() { outgoing <- r.toConn(conn) }()
	select {
	case <-incoming:
		select {
		case <-outgoing:
		case <-r.closed:
			r.drain(outgoing)
		case <-r.line.Done():
		}
	case <-r.closed:
		// What was written before the close is still in the pair.
		r.drain(outgoing)
	case <-r.line.Done():
	case whole := <-outgoing:
		r.afterWrite(whole, incoming)
	}
}

func (r *relay) drain(outgoing <-chan bool) {
	select {
	case <-outgoing:
	case <-r.line.Done():
	}
}

// afterWrite waits for the other direction once the other process has closed its own; if the connection can't be closed
// by halves, or is broken, that ends it.
func (r *relay) afterWrite(half bool, incoming <-chan struct{}) {
	if !half {
		return
	}
	select {
	case <-incoming:
	case <-r.closed:
	case <-r.line.Done():
	}
}

// fromConn relays what the peer sends.
func (r *relay) fromConn(conn net.Conn) {
	buf := make([]byte, streamBuffer)
	for {
		n, err := conn.Read(buf)
		if n > 0 {
			if _, werr := r.pair.Write(buf[:n]); werr != nil {
				return // the other process wants no more
			}
		}
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			r.end(err)
			_ = r.pair.CloseWrite()
			return
		}
	}
}

// toConn relays what the other process writes, and reports whether the connection lives on with one direction closed.
func (r *relay) toConn(conn net.Conn) (half bool) {
	buf := make([]byte, streamBuffer)
	for {
		n, err := r.pair.Read(buf)
		if n > 0 {
			if _, werr := conn.Write(buf[:n]); werr != nil {
				r.end(werr)
				return false
			}
		}
		if err != nil {
			halves, ok := conn.(interface{ CloseWrite() error })
			return ok && errors.Is(err, io.EOF) && halves.CloseWrite() == nil
		}
	}
}

// datagrams relays until one side is done.
func (r *relay) datagrams(conn net.Conn) {
	r.both(
		func(buf []byte) error {
			n, err := conn.Read(buf)
			if err == nil {
				_, err = r.pair.Write(buf[:n])
			}
			return err
		},
		func(buf []byte) error {
			n, err := r.pair.Read(buf)
			if err == nil {
				_, err = conn.Write(buf[:n])
			}
			return err
		})
}

// packets relays datagrams with their addresses.
func (r *relay) packets(conn net.PacketConn) {
	payload := make([]byte, maxDatagram)
	r.both(
		func(buf []byte) error {
			n, addr, err := conn.ReadFrom(payload)
			if err != nil {
				return err
			}
			frame, err := appendFrame(buf[:0], addr, payload[:n])
			if err == nil {
				_, err = r.pair.Write(frame)
			}
			return err
		},
		func(buf []byte) error {
			n, err := r.pair.Read(buf)
			if err != nil {
				return err
			}
			addr, datagram, err := splitFrame(buf[:n])
			if err == nil {
				_, err = conn.WriteTo(datagram, addr)
			}
			return err
		})
}

// both runs the two directions of a relay of datagrams. An error of one datagram does not end it: only a closed socket
// does.
func (r *relay) both(in, out func(buf []byte) error) {
	ended := make(chan error, 2)
	for _, step := range []func([]byte) error{in, out} {
		go func() {
			buf := make([]byte, 2*256+maxDatagram)
			for {
				err := step(buf)
				if final(err) {
					ended <- err
					return
				}
				if err != nil {
					time.Sleep(errorDelay)
				}
			}
		}()
	}
	select {
	case err := <-ended:
		r.end(err)
	case <-r.closed:
		r.settle(ended)
	case <-r.line.Done():
	}
	r.close()
}

// settle lets out what was written before the close: the pair holds it still.
func (r *relay) settle(ended <-chan error) {
	const most = time.Second
	_ = r.pair.SetReadDeadline(time.Now().Add(most / 100))
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

func final(err error) bool {
	return errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, io.ErrClosedPipe)
}
