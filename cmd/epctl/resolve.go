package main

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/registry"
)

type resolveCmd struct {
	Host     string               `arg:"" name:"host" help:"Name, or address."`
	Resolver string               `arg:"" optional:"" name:"resolver" help:"Endpoint string of a resolver; otherwise the system's, which endpoints use that are given none."`
	Family   happyeyeballs.Family `default:"any" placeholder:"FAMILY" help:"As the parameter of the endpoint hostname: any, 4, 6, prefer4 or prefer6."`
	Timeout  time.Duration        `default:"10s" help:"Give up on a resolver after this time."`
	JSON     bool                 `name:"json" help:"Write JSON."`
	Trace    traceFlag            `help:"Tell on stderr what happens, as lines of text or with =json as JSON."`
}

func (c *resolveCmd) Help() string {
	return "The addresses stand in the order in which the endpoint hostname would try them, each with the rule of RFC 6724 that put it behind the one before it. Each member of a resolver that asks others, such as chain, is asked by itself too."
}

func (c *resolveCmd) wanted() []registry.Role { return []registry.Role{registry.RoleResolver} }

// A resolution is what the resolvers know of a host, in its JSON form.
type resolution struct {
	Host    string      `json:"host"`
	Asked   string      `json:"asked"` // the host in the form in which it is looked up
	Answers []*answered `json:"answers"`
}

// answered is what one resolver knows: first the one that was given, then its members.
type answered struct {
	Resolver string      `json:"resolver"`
	Depth    int         `json:"depth"` // 0 for the one that was given
	Lookups  []lookedUp  `json:"lookups"`
	Order    []candidate `json:"order"`
	Error    string      `json:"error,omitempty"`
	err      error
}

// lookedUp is one question with its answer, as it came.
type lookedUp struct {
	Network string       `json:"network"`
	Addrs   []netip.Addr `json:"addrs"`
	MS      float64      `json:"ms"`
	Error   string       `json:"error,omitempty"`
	elapsed time.Duration
	err     error
}

// A candidate is an address in the order of attempts.
type candidate struct {
	Addr   netip.Addr `json:"addr"`
	Source string     `json:"source"` // where the host would send from; empty where there is no way
	Rule   int        `json:"rule"`   // of RFC 6724; 0 for the first, and where another reason decided
	Why    string     `json:"why"`
}

// Run asks the resolver, then each of its members.
func (c *resolveCmd) Run(ctx context.Context, a *app) error {
	host, err := hostname.Parse(c.Host)
	if err != nil {
		return &hostError{c.Host, err}
	}
	members, err := a.resolvers(c.Resolver)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	traced, flush := a.traced(ctx, c.Trace)
	r := resolution{Host: c.Host, Asked: host.Name}
	for _, m := range members {
		answer, err := c.ask(traced, m, host.Name)
		if err != nil {
			return err
		}
		r.Answers = append(r.Answers, answer)
		if ctx.Err() != nil {
			flush()
			return context.Cause(ctx)
		}
	}
	flush()
	return c.tell(a, r)
}

// A noAddressError is the error of a host that has no address; why, the look-ups tell.
type noAddressError struct {
	host string
	err  error
}

func (e *noAddressError) Error() string {
	text := "no address found for " + e.host
	var failed *happyeyeballs.Error
	if errors.As(e.err, &failed) && failed.Err != nil {
		text += ": " + failed.Err.Error()
	}
	return text
}

func (e *noAddressError) Unwrap() error { return e.err }

// A hostError is a name that is none.
type hostError struct {
	host string
	err  error
}

func (e *hostError) Error() string { return `"` + printable(e.host) + `" ` + e.err.Error() }

func (e *hostError) Unwrap() error { return e.err }

func (c *resolveCmd) tell(a *app, r resolution) error {
	whole := r.Answers[0].err
	if c.JSON {
		if err := a.out.json(r); err != nil {
			return err
		}
		return told(whole != nil)
	}
	if err := a.out.print(r.text(a.out)); err != nil {
		return err
	}
	return whole
}

// A member is a resolver that is asked.
type member struct {
	text     string // without secrets
	depth    int
	resolver registry.Resolver // nil is the system's
}

// resolvers returns the resolver that s is, and those that it asks; for "" the system's.
func (a *app) resolvers(s string) ([]member, error) {
	if s == "" {
		return []member{{text: "the system's resolver"}}, nil
	}
	_, layer, err := a.registry.Build(s, registry.RoleResolver)
	if err != nil {
		return nil, err
	}
	whole, err := a.registry.NewResolver(s)
	if err != nil {
		return nil, err
	}
	d, err := grammar.Parse(s)
	if err != nil {
		return nil, err
	}
	return append([]member{{layer.Text(), 0, whole}}, a.members(layer, d, 1)...), nil
}

// members returns the resolvers inside a layer. They are built from d, the layer's description as it was parsed: that in
// the layer lacks the secrets.
func (a *app) members(layer *registry.Layer, d *grammar.Description, depth int) (list []member) {
	for _, arg := range layer.Args {
		if arg.Param.Kind != registry.Kind(registry.RoleResolver) || len(arg.Inner) != len(arg.Fields) {
			continue
		}
		for i, inner := range arg.Inner {
			at := slices.IndexFunc(d.Fields, func(f grammar.Field) bool { return f.ValueSpan == arg.Fields[i].ValueSpan })
			if at < 0 || d.Fields[at].Nested == nil {
				continue
			}
			nested := d.Fields[at].Nested
			endpoint, _, err := a.registry.BuildDescription(nested, registry.RoleResolver)
			if err != nil {
				continue
			}
			list = append(list, member{inner.Description.Text(grammar.Brackets), depth, endpoint.(registry.Resolver)})
			list = append(list, a.members(inner, nested, depth+1)...)
		}
	}
	return list
}

// ask lets the engine of the endpoint hostname ask one resolver, and order what it answers.
func (c *resolveCmd) ask(ctx context.Context, m member, host string) (*answered, error) {
	log := &lookupLog{resolver: m.resolver}
	if m.resolver == nil {
		log.resolver = net.DefaultResolver
	}
	engine, err := happyeyeballs.New(happyeyeballs.Config{
		Layer: "resolve", Resolver: log, Family: c.Family, Timeout: c.Timeout, NoMemory: true,
	})
	if err != nil {
		return nil, err
	}
	candidates, err := engine.Resolve(ctx, host, 0)
	answer := &answered{Resolver: m.text, Depth: m.depth, Lookups: log.sorted(), Order: []candidate{}, err: err}
	if err != nil {
		answer.err = &noAddressError{host, err}
		answer.Error = answer.err.Error()
	}
	for i, found := range candidates {
		answer.Order = append(answer.Order, newCandidate(found, i == 0))
	}
	return answer, nil
}

func newCandidate(found happyeyeballs.Candidate, first bool) candidate {
	c := candidate{Addr: found.Addr, Rule: found.Rule.Number(), Why: found.Rule.String()}
	if first {
		c.Why = "first"
	}
	if from := found.Source.Addr; from.IsValid() {
		c.Source = from.String()
	}
	return c
}

var errNoAnswer = errors.New("no answer")

// A lookupLog is a resolver that keeps what it was asked, and what it said.
type lookupLog struct {
	resolver registry.Resolver

	mu      sync.Mutex
	lookups []lookedUp
}

func (l *lookupLog) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	l.mu.Lock()
	at := len(l.lookups)
	l.lookups = append(l.lookups, lookedUp{Network: network, Addrs: []netip.Addr{}, Error: errNoAnswer.Error(), err: errNoAnswer})
	l.mu.Unlock()
	start := time.Now()
	addrs, err := l.resolver.LookupNetIP(ctx, network, host)
	entry := lookedUp{Network: network, Addrs: []netip.Addr{}, elapsed: time.Since(start), err: err}
	entry.MS = milliseconds(entry.elapsed)
	for _, addr := range addrs {
		entry.Addrs = append(entry.Addrs, addr.Unmap())
	}
	if err != nil {
		entry.Error = err.Error()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lookups[at] = entry
	return addrs, err
}

// sorted returns the look-ups so far, IPv6 first, as they are asked.
func (l *lookupLog) sorted() []lookedUp {
	l.mu.Lock()
	defer l.mu.Unlock()
	list := append([]lookedUp{}, l.lookups...)
	slices.SortStableFunc(list, func(a, b lookedUp) int { return -cmp.Compare(a.Network, b.Network) })
	return list
}
