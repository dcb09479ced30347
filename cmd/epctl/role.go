package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// A roleFlag is a role on the command line; "" is any.
type roleFlag registry.Role

// UnmarshalText is called by kong.
func (r *roleFlag) UnmarshalText(text []byte) error {
	role := registry.Role(text)
	if !slices.Contains(registry.Roles(), role) {
		return fmt.Errorf("%q is no role; there are %s", text, strings.ReplaceAll(rolesText(registry.Roles()), ",", ", "))
	}
	*r = roleFlag(role)
	return nil
}

// or returns the role that is given, or else all roles.
func (r roleFlag) or(all ...registry.Role) []registry.Role {
	if r != "" {
		return []registry.Role{registry.Role(r)}
	}
	return all
}

// among returns the error of a role that is given and is none of all.
func (r roleFlag) among(all ...registry.Role) error {
	if r == "" || slices.Contains(all, registry.Role(r)) {
		return nil
	}
	return errors.New("--role: " + strings.ReplaceAll(rolesText(all), ",", " or "))
}

func (r *roleFlag) choices() []string { return strings.Split(rolesText(registry.Roles()), ",") }

func rolesText(roles []registry.Role) string {
	words := make([]string, len(roles))
	for i, r := range roles {
		words[i] = string(r)
	}
	return strings.Join(words, ",")
}

// pick returns the first of the wanted roles that s can play. With none of them it returns the faults of the role that
// s comes nearest to: one that its plugin plays, with the fewest faults.
func (a *app) pick(s string, wanted ...registry.Role) (registry.Role, error) {
	var nearest error
	least, played := 0, false
	for _, role := range wanted {
		_, layer, err := a.registry.Build(s, role)
		if err == nil {
			return role, nil
		}
		n, plays := len(grammar.All(err)), layer != nil
		if nearest == nil || plays && !played || plays == played && n < least {
			nearest, least, played = err, n, plays
		}
	}
	return "", nearest
}
