package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"
)

// A Result is what came of a contest.
type Result struct {
	Case      string  `json:"case"`
	Limit     float64 `json:"limit,omitempty"`  // the ratio is promised to be at most this
	Rescue    bool    `json:"rescue,omitempty"` // net.Dialer is expected to fail
	Hostname  Side    `json:"hostname"`
	NetDialer Side    `json:"net_dialer"`
	Ratio     *Spread `json:"ratio,omitempty"` // of the medians of each block
}

// Met reports whether what is promised holds.
func (r Result) Met() bool {
	switch {
	case r.Hostname.Failed > 0:
		return false
	case r.Rescue:
		return r.NetDialer.Failed == r.NetDialer.Dials
	case r.Limit > 0:
		return r.Ratio != nil && r.Ratio.Median <= r.Limit
	}
	return true
}

// A Side is how one of the two did.
type Side struct {
	Dials  int    `json:"dials"`
	Failed int    `json:"failed"`
	Error  string `json:"error,omitempty"` // the last failure
	Micros Spread `json:"microseconds"`
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

func measureAll(ctx context.Context, effort float64, progress io.Writer) ([]Result, error) {
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

// run measures block after block; the first block of quick dials is for warming up.
func (c contest) run(ctx context.Context) (Result, error) {
	r := Result{Case: c.name, Limit: c.limit, Rescue: c.rescue}
	var ours, theirs, ratios []float64
	warm := c.pairs == 1
	for n := 0; n < c.blocks; {
		b, err := c.block(ctx)
		if err != nil {
			return r, err
		}
		if !warm {
			warm = true
			continue
		}
		n++
		r.Hostname.add(b.ours)
		r.NetDialer.add(b.theirs)
		ours, theirs = append(ours, b.ours.micros...), append(theirs, b.theirs.micros...)
		ratios = append(ratios, spreadOf(b.ours.micros).Median/spreadOf(b.theirs.micros).Median)
	}
	r.Hostname.Micros, r.NetDialer.Micros = spreadOf(ours), spreadOf(theirs)
	if !c.rescue {
		ratio := spreadOf(ratios)
		r.Ratio = &ratio
	}
	return r, nil
}

// times are those of one side in one block.
type times struct {
	micros []float64
	failed int
	err    error
}

func (s *Side) add(t times) {
	s.Dials += len(t.micros)
	s.Failed += t.failed
	if t.err != nil {
		s.Error = t.err.Error()
	}
}

type block struct{ ours, theirs times }

// block dials in pairs. Who goes first changes from pair to pair, so that it does no good to be first.
func (c contest) block(ctx context.Context) (block, error) {
	var b block
	ours, theirs, err := c.prepare(ctx, c.pairs)
	if err != nil {
		return b, err
	}
	for i := range c.pairs {
		if i%2 == 0 {
			b.ours.take(ctx, ours, i)
		}
		b.theirs.take(ctx, theirs, i)
		if i%2 == 1 {
			b.ours.take(ctx, ours, i)
		}
		if ctx.Err() != nil {
			return b, ctx.Err()
		}
	}
	return b, nil
}

func (t *times) take(ctx context.Context, d dial, i int) {
	begun := time.Now()
	conn, err := d(ctx, i)
	t.micros = append(t.micros, float64(time.Since(begun).Nanoseconds())/1000)
	if err != nil {
		t.failed++
		t.err = err
		return
	}
	drop(conn)
}
