package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// A contest measures the same thing of several sides, by turns.
type contest struct {
	name   string
	unit   string
	blocks int
	sides  []side // the first is what the others are compared with
}

// A side is one of those that are compared.
type side struct {
	name    string
	goal    goal
	measure func(ctx context.Context) (float64, error)
}

// A goal is what is promised of a side beside the first; nothing where it is zero.
type goal struct {
	AtLeast float64 `json:"at_least,omitempty"` // times the first
	AtMost  float64 `json:"at_most,omitempty"`  // times the first
	More    float64 `json:"more,omitempty"`     // at most so much more than the first
}

// A Result is what came of a contest.
type Result struct {
	Case  string `json:"case"`
	Unit  string `json:"unit"`
	Sides []Side `json:"sides"`
}

// A Side is how one of them did.
type Side struct {
	Name  string  `json:"name"`
	Goal  goal    `json:"goal"`
	Value Spread  `json:"value"`
	Ratio *Spread `json:"ratio,omitempty"` // to the first, of each block
	More  *Spread `json:"more,omitempty"`  // than the first, of each block
}

// Met reports whether what is promised holds.
func (s Side) Met() bool {
	switch {
	case s.Goal == goal{}:
		return true
	case s.Ratio == nil || s.More == nil:
		return false
	case s.Goal.AtLeast > 0:
		return s.Ratio.Median >= s.Goal.AtLeast
	case s.Goal.AtMost > 0:
		return s.Ratio.Median <= s.Goal.AtMost
	}
	return s.More.Median <= s.Goal.More
}

// A Spread is the median of a sample with its quartiles.
type Spread struct {
	Median float64 `json:"median"`
	Low    float64 `json:"first_quartile"`
	High   float64 `json:"third_quartile"`
}

func spreadOf(sample []float64) Spread {
	s := slices.Sorted(slices.Values(sample))
	if len(s) == 0 {
		return Spread{}
	}
	at := func(q float64) float64 { return s[int(q*float64(len(s)-1)+0.5)] }
	return Spread{Median: at(0.5), Low: at(0.25), High: at(0.75)}
}

func measureAll(ctx context.Context, contests []contest, effort float64, progress io.Writer) ([]Result, error) {
	var results []Result
	for i, c := range contests {
		_, _ = fmt.Fprintf(progress, "%d/%d %s\n", i+1, len(contests), c.name)
		c.blocks = max(1, int(effort*float64(c.blocks)))
		r, err := c.run(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name, err)
		}
		results = append(results, r)
	}
	return results, nil
}

// run measures block after block; the first is for warming up.
func (c contest) run(ctx context.Context) (Result, error) {
	values := make([][]float64, len(c.sides))
	for n := range c.blocks + 1 {
		block, err := c.block(ctx, n)
		if err != nil {
			return Result{}, err
		}
		for i, v := range block {
			if n > 0 {
				values[i] = append(values[i], v)
			}
		}
	}
	r := Result{Case: c.name, Unit: c.unit}
	for i, s := range c.sides {
		side := Side{Name: s.name, Goal: s.goal, Value: spreadOf(values[i])}
		if i > 0 {
			side.Ratio, side.More = compare(values[0], values[i])
		}
		r.Sides = append(r.Sides, side)
	}
	return r, nil
}

// block measures each side once. Who goes first changes from block to block, so that it does no good to be first.
func (c contest) block(ctx context.Context, n int) ([]float64, error) {
	values := make([]float64, len(c.sides))
	for i := range c.sides {
		i := (n + i) % len(c.sides)
		v, err := c.sides[i].measure(ctx)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.sides[i].name, err)
		}
		values[i] = v
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return values, nil
}

func compare(base, values []float64) (ratio, more *Spread) {
	var ratios, differences []float64
	for i, v := range values {
		ratios, differences = append(ratios, v/base[i]), append(differences, v-base[i])
	}
	r, m := spreadOf(ratios), spreadOf(differences)
	return &r, &m
}
