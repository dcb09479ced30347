package dnsclient

import (
	"context"
	"encoding/binary"
	"io"
	"net"
)

// streams asks a server over TCP, or what an upgrade makes of it. A connection has one question at a time.
type streams struct {
	server  Server
	upgrade Upgrade
	pool    pool[net.Conn]
}

func newStreams(c *Config, s Server, upgrade Upgrade) *streams {
	if upgrade == nil {
		upgrade = func(_ context.Context, conn net.Conn) (net.Conn, error) { return conn, nil }
	}
	return &streams{server: s, upgrade: upgrade, pool: pool[net.Conn]{idle: c.Idle}}
}

func (s *streams) exchange(ctx context.Context, q *query) (*reply, error) {
	goneOut(ctx) // to a connection of its own
	return borrow(&s.pool,
		func() (net.Conn, error) { return s.server.Stream(ctx, s.upgrade) },
		func() bool { return ctx.Err() != nil },
		func(conn net.Conn) (*reply, error) {
			defer bound(ctx, conn)()
			return roundTrip(conn, q)
		})
}

// roundTrip sends q with its length before it (RFC 1035 section 4.2.2), in one write (RFC 7766 section 8), and reads the
// answer. A message that is none makes the connection unfit for more.
func roundTrip(conn net.Conn, q *query) (*reply, error) {
	framed := binary.BigEndian.AppendUint16(make([]byte, 0, 2+len(q.wire)), uint16(len(q.wire)))
	if _, err := conn.Write(append(framed, q.wire...)); err != nil {
		return nil, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, message); err != nil {
		return nil, err
	}
	r, err := q.read(message)
	if err == nil && r.Truncated {
		return nil, errMalformed
	}
	return r, err
}
