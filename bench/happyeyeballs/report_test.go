package main

import (
	"encoding/json"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
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
	ratio := func(r float64) *Spread { return &Spread{Median: r} }
	for _, tc := range []struct {
		name string
		r    Result
		want bool
	}{
		{"below the limit", Result{Limit: 1.1, Ratio: ratio(1.09)}, true},
		{"at the limit", Result{Limit: 1.1, Ratio: ratio(1.1)}, true},
		{"above the limit", Result{Limit: 1.1, Ratio: ratio(1.101)}, false},
		{"a dial of ours fails", Result{Limit: 1.1, Ratio: ratio(0.1), Hostname: Side{Dials: 9, Failed: 1}}, false},
		{"net.Dialer fails as it should", Result{Rescue: true, NetDialer: Side{Dials: 3, Failed: 3}}, true},
		{"net.Dialer connects once", Result{Rescue: true, NetDialer: Side{Dials: 3, Failed: 2}}, false},
		{"nothing is promised", Result{Ratio: ratio(3)}, true},
	} {
		if got := tc.r.Met(); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestReportTellsWhatWasMissed(t *testing.T) {
	r := Report{Command: "go run ./happyeyeballs", Results: []Result{
		{Case: "quick", Limit: 1.1, Ratio: &Spread{1.2, 1.15, 1.3}, Hostname: Side{Dials: 2, Micros: Spread{Median: 120}}, NetDialer: Side{Dials: 2, Micros: Spread{Median: 100.4}}},
		{Case: "slow", Rescue: true, Hostname: Side{Dials: 1, Micros: Spread{Median: 754_321}}, NetDialer: Side{Dials: 1, Failed: 1, Micros: Spread{Median: 6_000_900}}},
	}}
	text := r.text()
	for _, want := range []string{
		"quick 120µs 100µs 1.200 1.150 to 1.300 at most 1.1: MISSED",
		"slow 754.3ms fails after 6.0009s connects where net.Dialer fails: met",
	} {
		if !strings.Contains(strings.Join(strings.Fields(text), " "), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if data, err := json.Marshal(r); err != nil || !strings.Contains(string(data), `"third_quartile":1.3`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestAnswersComeInOrderAndOfOneFamily(t *testing.T) {
	for _, tc := range []struct {
		name string
		kind dnsmessage.Type
		want int
		code dnsmessage.RCode
	}{
		{"drop3.example.", dnsmessage.TypeAAAA, 3, 0},
		{"Drop3.Example.", dnsmessage.TypeA, 1, 0},
		{"one4.example.", dnsmessage.TypeAAAA, 0, 0},
		{"nobody.example.", dnsmessage.TypeA, 0, dnsmessage.RCodeNameError},
	} {
		query := dnsmessage.Message{Questions: []dnsmessage.Question{{
			Name: dnsmessage.MustNewName(tc.name), Type: tc.kind, Class: dnsmessage.ClassINET}}}
		packed, err := query.Pack()
		if err != nil {
			t.Fatal(err)
		}
		out, err := answer(packed)
		if err != nil {
			t.Fatal(err)
		}
		var m dnsmessage.Message
		if err := m.Unpack(out); err != nil || len(m.Answers) != tc.want || m.RCode != tc.code || !m.RecursionAvailable {
			t.Errorf("%s %v: %v, %v", tc.name, tc.kind, m, err)
		}
	}
	if out, err := answer([]byte("?")); err == nil {
		t.Errorf("answered %q", out)
	}
}
