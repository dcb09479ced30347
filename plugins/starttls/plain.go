package starttls

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// plain returns the connection for a caller who takes one without TLS, with what was said already and is not to be lost; ok
// is false where err is none that allows it, or the peer is about to close the connection.
func (d *dialogue) plain(err error) (conn net.Conn, ok bool) {
	if d.over || !errors.Is(err, ErrNotOffered) && !errors.Is(err, ErrRefused) {
		return nil, false
	}
	return withPrefix(d.conn, append(d.kept, d.buffer...)), true
}

// withPrefix returns conn, or one that gives prefix to its reader first.
func withPrefix(conn net.Conn, prefix []byte) net.Conn {
	if len(prefix) == 0 {
		return conn
	}
	return &prefixed{Conn: conn, prefix: prefix}
}

// A prefixed is a connection whose first bytes were read already. Reads are not concurrent while there is a prefix, as
// for every stream that is to make sense.
type prefixed struct {
	net.Conn
	prefix []byte
}

// Read returns what was read already, and then what comes.
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) == 0 || len(b) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.prefix)
	p.prefix = p.prefix[n:]
	return n, nil
}

// WriteTo hands the rest to the connection below, which may know a faster way.
func (p *prefixed) WriteTo(w io.Writer) (int64, error) {
	var written int64
	for len(p.prefix) > 0 {
		n, err := w.Write(p.prefix)
		p.prefix, written = p.prefix[n:], written+int64(n)
		if err == nil && len(p.prefix) > 0 {
			err = io.ErrShortWrite
		}
		if err != nil {
			return written, err
		}
	}
	rest, err := io.Copy(w, p.Conn)
	return written + rest, err
}

// ReadFrom hands what is to be sent to the connection below.
func (p *prefixed) ReadFrom(r io.Reader) (int64, error) { return io.Copy(p.Conn, r) }

// CloseWrite ends the stream to the peer, if the connection below can.
func (p *prefixed) CloseWrite() error {
	if half, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SyscallConn gives the socket, if there is one. What was read already is not in it.
func (p *prefixed) SyscallConn() (syscall.RawConn, error) {
	if socket, ok := p.Conn.(syscall.Conn); ok {
		return socket.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// NetConn returns the connection below, without what was read already.
func (p *prefixed) NetConn() net.Conn { return p.Conn }
