package hostname

import (
	"net/netip"

	"github.com/epctl/endpoint/internal/happyeyeballs"
	"github.com/epctl/endpoint/internal/sockopt"
)

// race translates the options into those of the engine.
func (o hostOptions) race() (happyeyeballs.Config, error) {
	if err := o.check(); err != nil {
		return happyeyeballs.Config{}, err
	}
	c := happyeyeballs.Config{
		Layer:           "hostname",
		Family:          o.Family,
		Local:           o.BindAddress,
		Deny:            happyeyeballs.DenyAny(o.Deny...),
		Timeout:         o.Timeout,
		AttemptDelay:    o.AttemptDelay,
		ResolutionDelay: o.ResolutionDelay,
		NoMemory:        !o.Memory,
	}
	if o.ResolutionDelay == 0 {
		c.ResolutionDelay = -1 // none; 0 is the engine's default
	}
	if o.Resolver != nil {
		c.Resolver = o.Resolver
	}
	if o.BindInterface != "" {
		common := sockopt.Common{BindToDevice: o.BindInterface}
		c.Source = happyeyeballs.ConnectedSource(o.BindAddress, sockopt.Packet{Common: common}.Control())
	}
	return c, nil
}

func (o hostOptions) check() error {
	var problems []sockopt.Problem
	if o.AttemptDelay < happyeyeballs.MinAttemptDelay || o.AttemptDelay > happyeyeballs.MaxAttemptDelay {
		problems = append(problems, sockopt.Problem{Param: "attemptDelay", Message: "must be between 10ms and 2s (RFC 8305 section 8)"})
	}
	seen := make(map[bool]netip.Addr, 2)
	for _, a := range o.BindAddress {
		if first, ok := seen[a.Is4()]; ok {
			problems = append(problems, sockopt.Problem{Param: "bindAddress", Message: first.String() + " and " + a.String() + " are of one family: one of each may be given"})
		}
		seen[a.Is4()] = a
	}
	v4, v6 := seen[true].IsValid(), seen[false].IsValid()
	if o.Family == happyeyeballs.IPv4Only && v6 && !v4 || o.Family == happyeyeballs.IPv6Only && v4 && !v6 {
		problems = append(problems, sockopt.Problem{Param: "bindAddress", Message: "no address of the only family that is used is given", With: "family"})
	}
	return sockopt.Join(problems)
}
