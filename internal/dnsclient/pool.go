package dnsclient

import (
	"io"
	"net"
	"sync"
	"time"
)

// maxIdle is how many connections to one server wait for the next question.
const maxIdle = 4

// A pool keeps connections that wait for the next question, each for a while. No goroutine stands behind it.
type pool[C io.Closer] struct {
	idle time.Duration // 0: none waits

	mu    sync.Mutex
	conns []*idleConn[C] // used last at the end
}

type idleConn[C io.Closer] struct {
	conn  C
	timer *time.Timer
}

// get takes the connection that was used last; false where there is none.
func (p *pool[C]) get() (conn C, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := len(p.conns); n > 0; n = len(p.conns) {
		last := p.conns[n-1]
		p.conns = p.conns[:n-1]
		if last.timer.Stop() {
			return last.conn, true
		}
		// Its time was over just now, and the timer closes it.
	}
	return conn, false
}

// put gives a connection that is fit for another question to the pool, which closes it in the end.
func (p *pool[C]) put(conn C) {
	if !p.keep(conn) {
		_ = conn.Close()
	}
}

func (p *pool[C]) keep(conn C) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle <= 0 || len(p.conns) >= maxIdle {
		return false
	}
	c := &idleConn[C]{conn: conn}
	c.timer = time.AfterFunc(p.idle, func() { p.drop(c) })
	p.conns = append(p.conns, c)
	return true
}

func (p *pool[C]) drop(c *idleConn[C]) {
	p.mu.Lock()
	for i, other := range p.conns {
		if other == c {
			p.conns = append(p.conns[:i], p.conns[i+1:]...)
			break
		}
	}
	p.mu.Unlock()
	_ = c.conn.Close()
}

// borrow calls use with a connection: with those that wait, as long as they turn out to be dead, then with a new one.
// What use is happy with goes back to the pool, all else is closed. Over reports that there is no time for a further one.
func borrow[C io.Closer, R any](p *pool[C], connect func() (C, error), over func() bool, use func(C) (R, error)) (R, error) {
	for {
		conn, waited := p.get()
		if !waited {
			var err error
			if conn, err = connect(); err != nil {
				var none R
				return none, err
			}
		}
		r, err := use(conn)
		if err == nil {
			p.put(conn)
			return r, nil
		}
		abandon(conn)
		// A server may close a connection at any time while it waits (RFC 7766 section 6.2.4).
		if !waited || over() {
			return r, err
		}
	}
}

// abandon closes a connection that is of no use any more, at once: TLS would wait for its farewell to be taken.
func abandon(conn io.Closer) {
	if wrapper, ok := conn.(interface{ NetConn() net.Conn }); ok {
		_ = wrapper.NetConn().Close()
	}
	_ = conn.Close()
}
