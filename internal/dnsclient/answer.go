package dnsclient

import (
	"net/netip"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// An answer is what a reply says about a question.
type answer struct {
	addrs    []netip.Addr
	alias    string        // the name to ask for instead; the server has not done it
	nameless bool          // there is no such name
	ttl      time.Duration // how long this holds; 0 is not beyond now
}

// interpret reads a reply. An error says that the server has no answer, or one that leads nowhere.
func interpret(r *reply, q question) (answer, error) {
	if r.Rcode != dns.RcodeSuccess && r.Rcode != dns.RcodeNameError {
		return answer{}, refusal(r.Msg)
	}
	c, err := follow(r.Answer, q)
	if err != nil {
		return answer{}, err
	}
	a := answer{addrs: c.addresses(r.Answer, q.qtype)}
	negative, known := negativeTTL(r.Ns)
	switch {
	case r.Rcode == dns.RcodeNameError:
		a.addrs, a.nameless, a.ttl = nil, true, min(negative, c.ttl)
	case len(a.addrs) > 0:
		a.ttl = c.ttl
	case len(c.names) > 1 && !known:
		a.alias, a.ttl = c.end(), c.ttl
	case !known && !r.RecursionAvailable && !r.Authoritative:
		return answer{}, errLame
	default:
		a.ttl = min(negative, c.ttl)
	}
	a.ttl = max(0, a.ttl-time.Duration(r.age)*time.Second)
	return a, nil
}

// aliases are the names from the one that was asked for to the one that has the addresses.
type aliases struct {
	names []string
	ttl   time.Duration // the shortest on the way
}

func (c *aliases) end() string { return c.names[len(c.names)-1] }

// follow walks the CNAME records of a section, in whatever order they are.
func follow(section []dns.RR, q question) (aliases, error) {
	c := aliases{[]string{q.name}, maxTTL}
	for {
		next := aliasOf(section, c.end())
		if next == nil {
			return c, nil
		}
		target := dns.CanonicalName(next.Target)
		if err := c.check(target); err != nil {
			return c, err
		}
		c.names = append(c.names, target)
		c.ttl = min(c.ttl, ttlOf(next))
	}
}

// check refuses a further name where it leads back, or is one too many.
func (c *aliases) check(target string) error {
	if slices.Contains(c.names, target) {
		return aliasError{"lead back to " + target}
	}
	if len(c.names) > maxAliases {
		return aliasError{"are too many"}
	}
	return nil
}

func aliasOf(section []dns.RR, name string) *dns.CNAME {
	for _, rr := range section {
		c, ok := rr.(*dns.CNAME)
		if ok && c.Hdr.Class == dns.ClassINET && dns.CanonicalName(c.Hdr.Name) == name {
			return c
		}
	}
	return nil
}

// addresses returns those that the last name has, each once, and counts their time to live.
func (c *aliases) addresses(section []dns.RR, qtype uint16) []netip.Addr {
	var addrs []netip.Addr
	seen := make(map[netip.Addr]bool)
	for _, rr := range section {
		h := rr.Header()
		if h.Rrtype != qtype || h.Class != dns.ClassINET || len(addrs) == maxAddresses {
			continue
		}
		if a := addressIn(rr); a.IsValid() && !seen[a] && dns.CanonicalName(h.Name) == c.end() {
			seen[a] = true
			addrs = append(addrs, a)
			c.ttl = min(c.ttl, ttlOf(rr))
		}
	}
	return addrs
}

func addressIn(rr dns.RR) netip.Addr {
	switch rr := rr.(type) {
	case *dns.A:
		a, _ := netip.AddrFromSlice(rr.A)
		return a.Unmap()
	case *dns.AAAA:
		a, _ := netip.AddrFromSlice(rr.AAAA)
		return a
	}
	return netip.Addr{}
}

// ttlOf is a record's time to live; one with the highest bit set is 0 (RFC 2181 section 8).
func ttlOf(rr dns.RR) time.Duration {
	ttl := rr.Header().Ttl
	if ttl > 1<<31-1 {
		ttl = 0
	}
	return time.Duration(ttl) * time.Second
}

// negativeTTL is how long an answer that there is nothing may be kept: it stands in the SOA record, without which it may
// not be kept (RFC 2308 section 5). True says that there is one.
func negativeTTL(authority []dns.RR) (time.Duration, bool) {
	for _, rr := range authority {
		if soa, ok := rr.(*dns.SOA); ok {
			return min(ttlOf(soa), time.Duration(soa.Minttl)*time.Second, maxNegativeTTL), true
		}
	}
	return 0, false
}
