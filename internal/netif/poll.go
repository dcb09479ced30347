package netif

import (
	"context"
	"net"
	"os"
	"time"
)

// pollEvery is how often a system that tells no news is asked.
const pollEvery = time.Second

// A pollSource is a source for systems that can be asked but tell no news.
type pollSource struct {
	ask    func(context.Context) ([]Interface, error)
	next   time.Time
	closed chan struct{}
}

func newPollSource(ask func(context.Context) ([]Interface, error)) *pollSource {
	return &pollSource{ask: ask, closed: make(chan struct{})}
}

func (p *pollSource) list(ctx context.Context) ([]Interface, error) {
	list, err := p.ask(ctx)
	p.next = time.Now().Add(pollEvery)
	return list, err
}

func (p *pollSource) receive(deadline time.Time) ([]event, error) {
	until := p.next
	if deadline.Before(until) {
		until = deadline
	}
	timer := time.NewTimer(time.Until(until))
	defer timer.Stop()
	select {
	case <-p.closed:
		return nil, net.ErrClosed
	case <-timer.C:
	}
	if until.Before(p.next) {
		return nil, os.ErrDeadlineExceeded
	}
	return []event{{op: stale}}, nil
}

func (p *pollSource) close() { close(p.closed) }

func (p *pollSource) release() {}
