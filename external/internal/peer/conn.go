package peer

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/wire"
)

// The end was told before the last byte came, so it is known soon or not at all.
const endTimeout = 5 * time.Second

// A relayed is one end of a pair of sockets whose other end is relayed by the other process, under the addresses of
// what it is relayed to.
type relayed struct {
	pair          *net.UnixConn
	local, remote net.Addr
	caller        Caller
	ticket        *fdpass.Ticket
	owner         any
	closing       sync.Once
	closed        chan struct{}
}

func newRelayed(conn net.Conn, o opened) (*relayed, error) {
	pair, ok := conn.(*net.UnixConn)
	if !ok {
		return nil, refuse(conn, "one of a pair")
	}
	r := &relayed{pair: pair, caller: o.caller, ticket: o.ticket, owner: o.owner, closed: make(chan struct{})}
	var errLocal, errRemote error
	r.local, errLocal = o.socket.Local.Addr()
	r.remote, errRemote = o.socket.Remote.Addr()
	if err := errors.Join(errLocal, errRemote); err != nil {
		_ = pair.Close()
		return nil, err
	}
	if r.local == nil {
		r.local = pair.LocalAddr()
	}
	return r, nil
}

func (r *relayed) LocalAddr() net.Addr           { return r.local }
func (r *relayed) SetDeadline(t time.Time) error { return r.error("set", r.pair.SetDeadline(t)) }
func (r *relayed) SetReadDeadline(t time.Time) error {
	return r.error("set", r.pair.SetReadDeadline(t))
}
func (r *relayed) SetWriteDeadline(t time.Time) error {
	return r.error("set", r.pair.SetWriteDeadline(t))
}
func (r *relayed) SyscallConn() (syscall.RawConn, error) { return r.pair.SyscallConn() }

// Close closes the connection. What was written goes on to the peer.
func (r *relayed) Close() error {
	err := net.ErrClosed
	r.closing.Do(func() {
		close(r.closed)
		err = r.pair.Close()
		// The other process must know it from a half-close. Where it does not read, it is lost anyway.
		_ = r.caller.Line().Closed(r.ticket.ID())
		r.ticket.Close()
	})
	return r.error("close", err)
}

// error puts the addresses into an error of the pair.
func (r *relayed) error(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	var of *net.OpError
	if errors.As(err, &of) {
		err = of.Err
	}
	if reason := r.reason(); reason != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, os.ErrDeadlineExceeded) {
		err = reason
	}
	return &net.OpError{Op: op, Net: r.local.Network(), Source: r.local, Addr: r.remote, Err: err}
}

// reason is why the other process gave the connection up, nil where it has not or does not say.
func (r *relayed) reason() error {
	select {
	case <-r.ticket.Ended():
		if why := r.ticket.Why(); why != "" {
			return wire.ErrUnexpectedEnd(why)
		}
		return nil
	default:
	}
	select {
	case <-r.ticket.Lost():
		return ErrGone
	default:
		return nil
	}
}

// ending says whether the end of the stream is one: a relay that died must not look like a peer that has finished.
func (r *relayed) ending() error {
	timer := time.NewTimer(endTimeout)
	defer timer.Stop()
	select {
	case <-r.ticket.Ended():
	case <-r.ticket.Lost():
	case <-r.closed:
		return net.ErrClosed
	case <-timer.C:
		return wire.ErrUnexpectedEnd("the plugin ended the stream without saying so")
	}
	if err := r.reason(); err != nil {
		return err
	}
	return io.EOF
}

// A stream is a relayed connection.
type stream struct{ *relayed }

// A halfStream is one whose directions can be closed by themselves.
type halfStream struct{ stream }

func newStream(conn net.Conn, o opened) (net.Conn, error) {
	r, err := newRelayed(conn, o)
	if err != nil {
		return nil, err
	}
	if o.socket.HalfClose {
		return halfStream{stream{r}}, nil
	}
	return stream{r}, nil
}

func (s *relayed) RemoteAddr() net.Addr { return s.remote }

func (s stream) Read(b []byte) (int, error) {
	n, err := s.pair.Read(b)
	if err == io.EOF {
		err = s.ending()
	}
	return n, s.error("read", err)
}

func (s stream) Write(b []byte) (int, error) {
	n, err := s.pair.Write(b)
	return n, s.error("write", err)
}

// WriteTo lets the system move the bytes where it can.
func (s stream) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, s.pair)
	if err == nil {
		err = s.ending()
	}
	if err == io.EOF {
		return n, nil
	}
	return n, s.error("read", err)
}

// ReadFrom lets the system move the bytes where it can.
func (s stream) ReadFrom(r io.Reader) (int64, error) {
	n, err := io.Copy(s.pair, r)
	return n, s.error("write", err)
}

// CloseWrite tells the peer that no more will come.
func (s halfStream) CloseWrite() error { return s.error("close", s.pair.CloseWrite()) }

// CloseRead gives up what the peer may send.
func (s halfStream) CloseRead() error { return s.error("close", s.pair.CloseRead()) }
