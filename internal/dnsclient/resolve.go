package dnsclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/miekg/dns"

	"github.com/epctl/endpoint/internal/lookup"
	"github.com/epctl/endpoint/trace"
)

// resolve asks for q, and for what it is an alias of where the server leaves that to us.
func (c *Client) resolve(ctx context.Context, q question) result {
	chain := aliases{[]string{q.name}, maxTTL}
	for range maxQuestions {
		a, r := c.ask(ctx, question{chain.end(), q.qtype})
		if r.err != nil {
			return r
		}
		chain.ttl = min(chain.ttl, a.ttl)
		if a.alias == "" {
			return conclude(a, q, chain.ttl)
		}
		if err := chain.check(a.alias); err != nil {
			return dead(err)
		}
		chain.names = append(chain.names, a.alias)
	}
	return dead(aliasError{"are too many"})
}

func dead(err error) result {
	return result{err: &net.DNSError{Err: err.Error(), UnwrapErr: err}}
}

func conclude(a answer, q question, ttl time.Duration) result {
	r := result{addrs: a.addrs, ttl: ttl, nameless: a.nameless}
	switch {
	case a.nameless:
		r.err = lookup.NoSuchHost("")
	case len(a.addrs) == 0:
		r.err = lookup.NoAddress("", lookup.Families{IPv6: q.qtype == dns.TypeAAAA, IPv4: q.qtype == dns.TypeA})
	}
	return r
}

// A search puts one question to the servers.
type search struct {
	*Client
	q      question
	failed failures
	done   []bool // the server is not asked again
}

// ask puts q to the servers in turns, beginning with the one that answered last, until one has an answer. Rounds give
// each try more time than the one before, and begin some time apart. The result has an error where there is no answer.
func (c *Client) ask(ctx context.Context, q question) (answer, result) {
	s := &search{Client: c, q: q, done: make([]bool, len(c.servers))}
	timeout, pause := c.cfg.Timeout, firstPause
	for round := 1; ; round++ {
		begun := time.Now()
		a, err := s.round(ctx, timeout)
		switch {
		case err == nil:
			return a, result{}
		case ctx.Err() != nil || errors.As(err, new(aliasError)):
			return a, dead(err)
		case round == c.cfg.Attempts || !slices.Contains(s.done, false):
			return a, s.failed.result()
		}
		if err := wait(ctx, pause-time.Since(begun)); err != nil {
			return a, dead(err)
		}
		timeout, pause = min(2*timeout, max(MaxTimeout, c.cfg.Timeout)), 2*pause
	}
}

// round asks each server once. The error is that of the last try.
func (s *search) round(ctx context.Context, timeout time.Duration) (a answer, err error) {
	first := int(s.first.Load())
	for i := range s.servers {
		n := (first + i) % len(s.servers)
		if s.done[n] {
			continue
		}
		a, err = s.try(ctx, s.servers[n], s.q, timeout)
		if err == nil {
			s.first.Store(int32(n))
			return a, nil
		}
		if ctx.Err() != nil || errors.As(err, new(aliasError)) {
			return a, err
		}
		s.warn(ctx, s.q, s.servers[n], err)
		s.failed = append(s.failed, failure{s.servers[n].Name, err})
		s.done[n] = isFinal(err)
	}
	return a, err
}

func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// warn tells that others will have to answer, or the same server once more.
func (c *Client) warn(ctx context.Context, q question, s *server, err error) {
	if t := trace.From(ctx); t != nil {
		detail := fmt.Sprintf("%s record from %s: %v", dns.TypeToString[q.qtype], s.Name, err)
		t.Emit(trace.Event{Kind: trace.Warning, Layer: "dns", Host: q.name, Detail: detail, Err: err})
	}
}

// try asks one server once; once more without EDNS(0) where it does not know that (RFC 6891 section 7).
func (c *Client) try(ctx context.Context, s *server, q question, timeout time.Duration) (answer, error) {
	tryCtx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	edns := !s.noEDNS.Load()
	r, err := c.exchange(tryCtx, s, q, edns)
	if err == nil && edns && lacksEDNS(r.Msg) {
		if r, err = c.exchange(tryCtx, s, q, false); err == nil && r.Rcode != dns.RcodeFormatError {
			s.noEDNS.Store(true)
		}
	}
	if err != nil {
		late := tryCtx.Err() != nil || errors.Is(err, context.DeadlineExceeded)
		if late && ctx.Err() == nil {
			err = timeoutError{timeout}
		}
		return answer{}, err
	}
	return interpret(r, q)
}

func (c *Client) exchange(ctx context.Context, s *server, q question, edns bool) (*reply, error) {
	encrypted := c.cfg.Transport == TLS || c.cfg.Transport == HTTPS
	query, err := newQuery(q, style{edns: edns, mixCase: c.cfg.MixCase, pad: encrypted, zeroID: c.cfg.Transport == HTTPS})
	if err != nil {
		return nil, err
	}
	return s.exchange(ctx, query)
}

func lacksEDNS(m *dns.Msg) bool {
	return m.IsEdns0() == nil && (m.Rcode == dns.RcodeFormatError || m.Rcode == dns.RcodeNotImplemented)
}
