package hostname

import (
	"net/netip"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/sockopt"
)

// race translates the options into those of the engine.
func (o clientOptions) race() (happyeyeballs.Config, error) {
	problems := o.choice.problems()
	if o.AttemptDelay < happyeyeballs.MinAttemptDelay || o.AttemptDelay > happyeyeballs.MaxAttemptDelay {
		problems = append(problems, sockopt.Problem{Param: "attemptDelay", Message: "must be between 10ms and 2s (RFC 8305 section 8)"})
	}
	if err := sockopt.Join(problems); err != nil {
		return happyeyeballs.Config{}, err
	}
	c := config(o.target, o.choice, o.finding)
	c.AttemptDelay = o.AttemptDelay
	c.NoMemory = !o.Memory
	return c, nil
}

// config is what streams and datagrams have in common.
func config(t target, w choice, f finding) happyeyeballs.Config {
	c := happyeyeballs.Config{
		Layer:           "hostname",
		Family:          w.Family,
		Local:           w.BindAddress,
		Deny:            happyeyeballs.DenyAny(f.Deny...),
		Timeout:         t.Timeout,
		ResolutionDelay: w.ResolutionDelay,
	}
	if w.ResolutionDelay == 0 {
		c.ResolutionDelay = -1 // none; 0 is the engine's default
	}
	if f.Resolver != nil {
		c.Resolver = f.Resolver
	}
	if w.BindInterface != "" {
		common := sockopt.Common{BindToDevice: w.BindInterface}
		c.Source = happyeyeballs.ConnectedSource(w.BindAddress, sockopt.Packet{Common: common}.Control())
	}
	return c
}

func (w choice) problems() []sockopt.Problem {
	var problems []sockopt.Problem
	seen := make(map[bool]netip.Addr, 2)
	for _, a := range w.BindAddress {
		if first, ok := seen[a.Is4()]; ok {
			problems = append(problems, sockopt.Problem{Param: "bindAddress", Message: first.String() + " and " + a.String() + " are of one family: one of each may be given"})
		}
		seen[a.Is4()] = a
	}
	v4, v6 := seen[true].IsValid(), seen[false].IsValid()
	if w.Family == happyeyeballs.IPv4Only && v6 && !v4 || w.Family == happyeyeballs.IPv6Only && v4 && !v6 {
		problems = append(problems, sockopt.Problem{Param: "bindAddress", Message: "no address of the only family that is used is given", With: "family"})
	}
	return problems
}

// local is the address to bind to for a remote address of the given family, the zero Addr where there is none.
func (w choice) local(ipv4 bool) netip.Addr {
	for _, a := range w.BindAddress {
		if a.Is4() == ipv4 {
			return a
		}
	}
	return netip.Addr{}
}
