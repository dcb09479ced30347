package main

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestSpread(t *testing.T) {
	for _, tc := range []struct {
		sample []float64
		want   Spread
	}{
		{nil, Spread{}},
		{[]float64{7}, Spread{7, 7, 7}},
		{[]float64{5, 1, 4, 2, 3}, Spread{3, 2, 4}},
		{[]float64{1, 1, 1, 1000}, Spread{1, 1, 1}},
	} {
		if got := spreadOf(tc.sample); got != tc.want {
			t.Errorf("%v: %+v, want %+v", tc.sample, got, tc.want)
		}
	}
}

func TestMet(t *testing.T) {
	at := func(v float64) *Spread { return &Spread{Median: v} }
	for _, tc := range []struct {
		name string
		s    Side
		want bool
	}{
		{"fast enough", Side{Goal: goal{AtLeast: 0.9}, Ratio: at(0.9), More: at(0)}, true},
		{"too slow", Side{Goal: goal{AtLeast: 0.9}, Ratio: at(0.89), More: at(0)}, false},
		{"soon enough", Side{Goal: goal{AtMost: 4}, Ratio: at(4), More: at(0)}, true},
		{"too late", Side{Goal: goal{AtMost: 4}, Ratio: at(4.01), More: at(0)}, false},
		{"little more", Side{Goal: goal{More: 100}, Ratio: at(50), More: at(99)}, true},
		{"too much more", Side{Goal: goal{More: 100}, Ratio: at(1), More: at(101)}, false},
		{"not measured", Side{Goal: goal{More: 100}}, false},
		{"nothing is promised", Side{Ratio: at(1000), More: at(1000)}, true},
	} {
		if got := tc.s.Met(); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
	for leak, want := range map[Leak]bool{{}: true, {Descriptors: -1}: true, {Descriptors: 1}: false, {Goroutines: 1}: false, {Plugin: 1}: false} {
		if leak.Met() != want {
			t.Errorf("%+v: %v", leak, !want)
		}
	}
}

func TestReportTellsWhatWasMissed(t *testing.T) {
	ratio, more := compare([]float64{10, 10, 20}, []float64{30, 50, 80})
	r := Report{
		Results: []Result{{Case: "connect", Unit: "µs", Sides: []Side{
			{Name: "in this process", Value: Spread{Median: 10}},
			{Name: "plugin", Goal: goal{AtMost: 3}, Value: Spread{Median: 50}, Ratio: ratio, More: more},
			{Name: "late", Goal: goal{More: 50}, Value: Spread{Median: 50}, Ratio: ratio, More: more},
		}}},
		Leaks: []Leak{{Case: "TCP", Connections: 10, Goroutines: 2}},
	}
	text := strings.Join(strings.Fields(r.text()), " ")
	for _, want := range []string{
		"plugin 50 4.00 4.00 to 5.00 at most 3: MISSED",
		"late 50 +40.0 +40.0 to +60.0 at most 50 more: met",
		"TCP 10 +0 +2 +0 none: MISSED",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, r.text())
		}
	}
	if data, err := json.Marshal(r); err != nil || !strings.Contains(string(data), `"at_most":3`) {
		t.Errorf("%s, %v", data, err)
	}
}

// The peer does what it is asked for, also by who turns the bytes around.
func TestPeer(t *testing.T) {
	p, err := newPeer()
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	conn, err := net.Dial("tcp4", p.address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	for _, what := range []byte{askEcho, askSend, askReceive, askEcho} {
		const n = 3*chunk + 1
		if what != askEcho {
			err = move(conn, what, n)
		} else if err = ask(conn, what, 0); err == nil {
			err = answer(conn)
		}
		if err != nil {
			t.Errorf("%c: %v", what, err)
		}
	}
}

// All that is measured can be.
func TestEveryContestRuns(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	l, err := newLab(ctx, size{bytes: 1 << 20, dials: 2, accepts: 5})
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	results, err := measureAll(ctx, l.contests(), 0, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		for _, s := range r.Sides {
			if s.Value.Median <= 0 {
				t.Errorf("%s, %s: %v", r.Case, s.Name, s.Value)
			}
		}
	}
	leaks, err := l.leaks(ctx, 20)
	if err != nil {
		t.Fatal(err)
	}
	for _, leak := range leaks {
		if !leak.Met() {
			t.Errorf("%+v", leak)
		}
	}
}
