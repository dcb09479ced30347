package main

import (
	"context"
	"runtime"
	"slices"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
)

// inspectTimeout is how long the files of one string may take to look at.
const inspectTimeout = 10 * time.Second

// A finding is the JSON form of what was found when the files that a string names were looked at.
type finding struct {
	Level   registry.Level `json:"level"`
	Plugin  string         `json:"plugin"`
	Param   string         `json:"param,omitempty"`
	Message string         `json:"message"`
	Start   int            `json:"start"`
	End     int            `json:"end"`
	Fix     string         `json:"fix,omitempty"`
}

func newFinding(i registry.Inspected) finding {
	f := finding{Level: i.Level, Plugin: i.Plugin, Param: i.Param, Message: i.Message}
	if i.Error != nil {
		f.Start, f.End, f.Fix = i.Error.Start, i.Error.End, i.Error.Fix
	}
	return f
}

func newFindings(all []registry.Inspected) []finding {
	found := make([]finding, len(all))
	for i, f := range all {
		found[i] = newFinding(f)
	}
	return found
}

// inspect looks at what the string of a verdict names, and keeps the roles in which that is as it should be, with what was
// found in them, the worst first. Where it is so in none, the first role is the one that is told of.
func (v *verdict) inspect(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	var roles []registry.Role
	var layers []*registry.Layer
	for i, l := range v.layers {
		found := l.Inspect(ctx)
		if failed(found) {
			if i == 0 {
				v.findings = found
			}
			continue
		}
		if len(roles) == 0 {
			v.findings = nil
		}
		roles, layers = append(roles, v.roles[i]), append(layers, l)
		v.add(found)
	}
	if len(roles) > 0 {
		v.roles, v.layers = roles, layers
	}
	slices.SortStableFunc(v.findings, func(a, b registry.Inspected) int { return int(a.Level) - int(b.Level) })
}

// add adds findings that are not there yet from another role.
func (v *verdict) add(found []registry.Inspected) {
	for _, f := range found {
		if !slices.ContainsFunc(v.findings, func(i registry.Inspected) bool { return newFinding(i) == newFinding(f) }) {
			v.findings = append(v.findings, f)
		}
	}
}

func failed(found []registry.Inspected) bool {
	return slices.ContainsFunc(found, func(i registry.Inspected) bool { return i.Level == registry.LevelError })
}

// of returns the findings of a level as errors with places.
func (v *verdict) of(level registry.Level) (found []*grammar.Error) {
	for _, f := range v.findings {
		if f.Level == level && f.Error != nil {
			found = append(found, f.Error)
		}
	}
	return found
}

// inspectors is how many strings are looked at beside each other: files may be slow, on a network.
func inspectors() int { return min(4*runtime.GOMAXPROCS(0), 32) }
