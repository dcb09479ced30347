package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// FuzzDial throws random answers, delays and outcomes at a dial and checks what must hold whatever happens: one winner,
// every loser closed, no more than eight in flight, an end by the deadline, no attempt too early, and success where an
// address would have answered in time.
func FuzzDial(f *testing.F) {
	for seed := range uint64(400) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		synctest.Test(t, func(t *testing.T) {
			s := newScenario(t, seed)
			for round := range 3 { // the later ones have a memory
				s.dial(round)
			}
			s.settle()
		})
	})
}

type scenario struct {
	*world
	seed   uint64
	rng    *rand.Rand
	cfg    Config
	e      *Engine
	usable []string
	stop   time.Duration // the caller cancels then; 0: never
	won    []string
}

func newScenario(t *testing.T, seed uint64) *scenario {
	s := &scenario{world: newWorld(t), seed: seed, rng: rand.New(rand.NewPCG(seed, 1))}
	s.cfg = Config{
		Timeout:          s.upTo(20 * time.Second),
		AttemptDelay:     10*ms + s.upTo(500*ms),
		ResolutionDelay:  s.upTo(100*ms) - 10*ms,
		FirstFamilyCount: s.rng.IntN(3),
		Family:           Family(s.rng.IntN(5)),
		NoMemory:         s.chance(4),
		TerminalEnds:     s.chance(8),
	}
	if s.chance(8) {
		s.stop = s.upTo(5 * time.Second)
	}
	n := 1 + s.rng.IntN(6)
	if s.chance(10) {
		n = 1 + s.rng.IntN(100)
	}
	s.answer("ip6", IPv4Only, sequence("2001:db8::%x", s.rng.IntN(n+1)))
	s.answer("ip4", IPv6Only, sequence("192.0.2.%d", s.rng.IntN(n+1)))
	if len(s.usable) == 1 { // dialed in the caller's goroutine: here a dial has to keep to its contract
		p := s.host[s.usable[0]]
		p.deaf = false
		s.host[s.usable[0]] = p
	}
	s.e = s.engine(s.cfg)
	return s
}

func (s *scenario) chance(oneIn int) bool { return s.rng.IntN(oneIn) == 0 }

func (s *scenario) upTo(most time.Duration) time.Duration {
	return (1 + time.Duration(s.rng.Int64N(int64(most)))).Truncate(ms/2) + 1
}

func (s *scenario) answer(network string, unless Family, addrs []string) {
	r := reply{after: s.upTo(200 * ms), addrs: addrs, never: s.chance(20), deaf: s.chance(20)}
	if s.chance(10) {
		r = reply{after: r.after, err: errServFail}
	}
	s.dns[network] = r
	for _, a := range r.addrs {
		s.host[a] = s.peer()
		if s.cfg.Family != unless && (!r.never || r.deaf) {
			s.usable = append(s.usable, a)
		}
	}
}

func (s *scenario) peer() peer {
	p := peer{after: s.upTo(600 * ms), drop: s.chance(3), deaf: s.chance(6), shake: s.upTo(300 * ms), mute: s.chance(6)}
	if s.chance(3) {
		p.err = errRefused
	}
	if s.chance(6) {
		p.shakeErr = Terminal(errBadCA)
	}
	return p
}

func (s *scenario) errorf(format string, args ...any) {
	s.t.Helper()
	s.t.Errorf("seed %d: %s", s.seed, fmt.Sprintf(format, args...))
}

func (s *scenario) dial(round int) {
	s.mu.Lock()
	s.attempts, s.most = nil, s.flying
	s.mu.Unlock()
	var up Upgrade
	if s.seed%2 == 1 {
		up = s.upgrade
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.stop > 0 {
		time.AfterFunc(s.stop, cancel)
	}
	begun := s.now()
	conn, err := s.e.DialThrough(ctx, "host.example", 443, up)
	took := s.now() - begun
	if (conn == nil) == (err == nil) {
		s.errorf("connection %v, error %v", conn, err)
	}
	if conn != nil {
		s.won = append(s.won, remote(conn))
	}
	if took > s.cfg.Timeout || s.stop > 0 && took > s.stop {
		s.errorf("took %v of %v (cancelled at %v)", took, s.cfg.Timeout, s.stop)
	}
	s.mu.Lock()
	attempts := slices.Clone(s.attempts)
	s.mu.Unlock()
	s.checkAttempts(attempts, begun, round, up != nil)
	s.checkOutcome(attempts, took, err, up != nil)
	s.settle() // the deaf of this dial must not count in the next one
	if s.flying != 0 {
		s.errorf("%d dials go on", s.flying)
	}
	if got := s.open(); !slices.Equal(got, s.won) {
		s.errorf("open connections %v, winners %v", got, s.won)
	}
}

func (s *scenario) checkAttempts(attempts []start, begun time.Duration, round int, shaken bool) {
	if s.most > MaxInFlight || len(attempts) > MaxAddresses {
		s.errorf("%d attempts, %d in flight", len(attempts), s.most)
	}
	seen := map[string]bool{}
	for i, a := range attempts {
		if seen[a.addr] || !slices.Contains(s.usable, a.addr) {
			s.errorf("attempt to %s, round %d", a.addr, round)
		}
		seen[a.addr] = true
		if i == 0 || shaken { // a handshake's end is not in the list
			continue
		}
		prev := attempts[i-1]
		failed := prev.end >= 0 && prev.end <= a.at
		if a.at-prev.at+time.Microsecond < s.cfg.AttemptDelay && !failed {
			s.errorf("attempt to %s %v after the last one", a.addr, a.at-prev.at)
		}
	}
	if len(attempts) > 0 && attempts[0].at-begun+time.Microsecond < min(s.dns["ip6"].after, s.dns["ip4"].after) {
		s.errorf("attempt before an answer")
	}
}

// checkOutcome looks at the failures: they are complete, and there was no address that would have done.
func (s *scenario) checkOutcome(attempts []start, took time.Duration, err error, shaken bool) {
	if err == nil {
		return
	}
	var failure *Error
	if !errors.As(err, &failure) {
		s.errorf("%T", err)
		return
	}
	told := map[string]bool{}
	for _, a := range failure.Attempts {
		if a.Stage != StageResolve {
			told[a.Addr.Addr().String()] = true
		}
	}
	for _, a := range attempts {
		if !told[a.addr] && !s.cfg.TerminalEnds {
			s.errorf("no word of %s in %v", a.addr, err)
		}
	}
	if failure.Err == nil && failure.Untried > 0 && len(attempts) < MaxAddresses && !s.cfg.TerminalEnds {
		s.errorf("gave up with %d addresses left", failure.Untried)
	}
	if shaken || s.stop > 0 || len(s.usable) > MaxInFlight {
		return
	}
	for _, a := range s.usable {
		if p := s.host[a]; !p.drop && p.err == nil && took >= s.worst(p) {
			s.errorf("%s would have answered by %v; failed after %v: %v", a, s.worst(p), took, err)
		}
	}
}

// worst is when the last address has had its turn and answered as p does.
func (s *scenario) worst(p peer) time.Duration {
	return 200*ms + max(s.cfg.ResolutionDelay, DefaultResolutionDelay) + MaxInFlight*s.cfg.AttemptDelay + p.after + ms
}
