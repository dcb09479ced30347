package happyeyeballs

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/epctl/endpoint/trace"
)

// An answer is what came of one look-up.
type answer struct {
	family  Family // IPv6Only or IPv4Only
	addrs   []netip.Addr
	err     error
	elapsed time.Duration
}

// known returns the addresses of a host that is not looked up: a literal or, by RFC 6761 section 6.3, localhost.
func known(host string) ([]netip.Addr, bool) {
	if a, ok := literal(host); ok {
		return []netip.Addr{a}, true
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}, true
	}
	return nil, false
}

func literal(host string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(host)
	return a.Unmap(), err == nil
}

// admits returns why a is not used at all, nil where it is.
func (e *Engine) admits(a netip.Addr) error {
	switch {
	case !a.IsValid():
		return errNoAddress
	case a.Is4() && e.ipv4, a.Is6() && e.ipv6:
		return nil
	case e.note != "":
		return leftOutError{e.note}
	}
	return leftOutError{"family=" + e.cfg.Family.String() + " leaves " + familyOf(a) + " addresses out"}
}

// families are those to ask for, in the order of RFC 8305 section 3.
func (e *Engine) families() []Family {
	f := make([]Family, 0, 2)
	if e.ipv6 {
		f = append(f, IPv6Only)
	}
	if e.ipv4 {
		f = append(f, IPv4Only)
	}
	return f
}

// preferred is the family whose answer is waited for.
func (e *Engine) preferred() Family {
	if !e.ipv6 || e.ipv4 && e.cfg.Family.prefers4() {
		return IPv4Only
	}
	return IPv6Only
}

// lookUp asks for all families at once; an answer for each comes through the channel.
func (d *dial) lookUp(ctx context.Context) <-chan answer {
	families := d.e.families()
	answers := make(chan answer, len(families))
	if r, ok := d.e.cfg.Resolver.(*net.Resolver); ok && len(families) > 1 && !strings.HasSuffix(d.host, ".") {
		go d.lookUpTogether(ctx, r, answers)
	} else {
		go d.lookUpEach(ctx, families, answers)
	}
	return answers
}

// lookUpTogether asks package net for both families of one name. It goes through the search list of resolv.conf(5) anew
// for each question, so that two questions could be answered for two different hosts: with "search a.example b.example",
// an A record of db.a.example and an AAAA record of db.b.example. Only a name with a dot at its end can be asked for twice.
func (d *dial) lookUpTogether(ctx context.Context, r *net.Resolver, answers chan<- answer) {
	span := trace.StartResolve(ctx, d.e.cfg.Layer, "ip", d.host)
	start := time.Now()
	addrs, err := r.LookupNetIP(ctx, "ip", d.host)
	span.EndResolve(addrs, err)
	both := map[Family]*answer{}
	for _, f := range d.e.families() {
		both[f] = &answer{family: f, err: err, elapsed: time.Since(start)}
	}
	for _, a := range addrs {
		f := IPv6Only
		if a.Unmap().Is4() {
			f = IPv4Only
		}
		both[f].addrs = append(both[f].addrs, a)
	}
	for _, f := range d.e.families() {
		answers <- *both[f]
	}
}

// lookUpEach asks for the first family, and just before that it starts the goroutine that asks for the rest. Goroutines
// that were started one after the other by a third one might run in any order, and the AAAA question has to be out first.
func (d *dial) lookUpEach(ctx context.Context, families []Family, answers chan<- answer) {
	f := families[0]
	network := f.network()
	span := trace.StartResolve(ctx, d.e.cfg.Layer, network, d.host)
	start := time.Now()
	if len(families) > 1 {
		go d.lookUpEach(ctx, families[1:], answers)
	}
	addrs, err := d.e.cfg.Resolver.LookupNetIP(ctx, network, d.host)
	span.EndResolve(addrs, err)
	answers <- answer{family: f, addrs: addrs, err: err, elapsed: time.Since(start)}
}

// resolveAll waits for all answers.
func (d *dial) resolveAll(ctx context.Context) ([]netip.Addr, error) {
	l := newList(d.e, d.port)
	if addrs, ok := known(d.host); ok {
		l.add(addrs)
		if len(l.all) == 0 {
			return nil, d.leftOut(ctx, addrs[0])
		}
		return addrs, nil
	}
	d.warnLeftOut(ctx)
	var all []netip.Addr
	answers := d.lookUp(ctx)
	for range d.e.families() {
		select {
		case a := <-answers:
			d.absorb(l, a)
			all = append(all, a.addrs...)
		case <-ctx.Done():
			return nil, d.fail(ctx)
		}
	}
	if len(l.all) == 0 {
		return nil, d.fail(ctx)
	}
	return all, nil
}

// absorb adds an answer to l, or to the failures where there is nothing in it.
func (d *dial) absorb(l *addressList, a answer) {
	if a.err == nil {
		l.add(a.addrs)
		if len(a.addrs) == 0 || len(l.all) == 0 {
			a.err = errNoAddress
		}
	}
	if a.err != nil {
		d.failures = append(d.failures, lookUpFailure(a.family, a.elapsed, a.err))
	}
}

func lookUpFailure(f Family, elapsed time.Duration, err error) Attempt {
	return Attempt{Family: f.long(), Stage: StageResolve, Elapsed: elapsed, Err: err}
}

// isNotFound reports whether a look-up found that there is nothing, which is no fault where the other family has
// addresses.
func isNotFound(err error) bool {
	var dns *net.DNSError
	var addr *net.AddrError // from the hosts file, which has the name in the other family only
	return errors.Is(err, errNoAddress) || errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &addr)
}

// warnLeftOut tells the trace once a dial that a family is not used because nothing of it can be bound to.
func (d *dial) warnLeftOut(ctx context.Context) {
	if d.e.note != "" {
		d.warn(ctx, d.e.note)
	}
}

func (d *dial) warn(ctx context.Context, detail string) {
	trace.From(ctx).Emit(trace.Event{Kind: trace.Warning, Layer: d.e.cfg.Layer, Host: d.host, Detail: detail})
}
