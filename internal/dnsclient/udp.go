package dnsclient

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxDatagram is more than servers may send.
const maxDatagram = 4096

// datagrams asks a server over UDP. Each question has a socket of its own, and so a port of its own.
type datagrams struct {
	server  Server
	streams *streams // for what is truncated; nil where there are none
}

func newDatagrams(c *Config, s Server) *datagrams {
	d := &datagrams{server: s}
	if s.Stream != nil {
		d.streams = newStreams(c, s, nil)
	}
	return d
}

func (d *datagrams) exchange(ctx context.Context, q *query) (*reply, error) {
	r, err := d.once(ctx, q)
	switch {
	case err != nil || !r.Truncated:
		return r, err
	case d.streams == nil:
		return nil, errTruncated
	}
	return d.streams.exchange(ctx, q)
}

// once sends q and waits for its answer, past all that is none.
func (d *datagrams) once(ctx context.Context, q *query) (*reply, error) {
	conn, err := d.server.Packet(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer bound(ctx, conn)()
	if _, err := conn.Write(q.wire); err != nil {
		return nil, err
	}
	goneOut(ctx)
	buf := make([]byte, maxDatagram)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return nil, err
		}
		r, err := q.read(buf[:n])
		if !errors.Is(err, errForeign) {
			return r, err
		}
	}
}

// bound ends what waits on conn when ctx ends, and not before: a deadline of the connection's own might be noticed first.
// The function that it returns has to be called before conn is used for something else.
func bound(ctx context.Context, conn net.Conn) (release func()) {
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = conn.SetDeadline(time.Unix(1, 0))
		close(ended)
	})
	return func() {
		if !stop() {
			<-ended
		}
		_ = conn.SetDeadline(time.Time{})
	}
}
