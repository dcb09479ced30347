package hostname

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

//go:generate go test -count=1 -run TestStudies . -update

var update = flag.Bool("update", false, "write the tables of spec/happyeyeballs.md anew")

// The addresses of the host that the studies dial, and how the tables call them.
const a6, b6, c6, x4 = "2001:db8::a", "2001:db8::b", "2001:db8::c", "192.0.2.1"

var label = map[string]string{a6: "IPv6", b6: "2nd IPv6", c6: "3rd IPv6", x4: "IPv4", "all": "all"}

var (
	errServFail = &net.DNSError{Err: "server misbehaving", IsTemporary: true}
	errNoName   = &net.DNSError{Err: "no such host", IsNotFound: true}
)

// The cases of the published studies of Happy Eyeballs, run on the plugin's defaults; what comes out is our part of the
// tables in the specification.
func TestStudies(t *testing.T) {
	const path = "../../spec/happyeyeballs.md"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	current := text
	for name, table := range map[string]string{
		"lazy-eye": lazyEye(t), "look-ups": lookUps(t), "rfc6556": rfc6556(t), "beyond": beyond(t),
	} {
		begin, end := []byte("<!-- "+name+":begin -->\n"), []byte("<!-- "+name+":end -->\n")
		head, rest, ok := bytes.Cut(current, begin)
		_, tail, ok2 := bytes.Cut(rest, end)
		if !ok || !ok2 {
			t.Fatalf("%s has no section %s", path, name)
		}
		current = bytes.Join([][]byte{head, begin, []byte("\n" + table + "\n"), end, tail}, nil)
	}
	switch {
	case bytes.Equal(text, current):
	case *update:
		if err := os.WriteFile(path, current, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the tables of %s are not what the tests give: go generate writes them anew\n%s", path, current)
	}
}

// published are the clients of the study, by its own overview; the last two columns are what its abstract and, for
// net.Dialer, the source say.
var published = [][]string{
	{"Chrome, Chromium", "130.0", "yes", "300ms", "yes", "no", "1", "1", "no", "yes"},
	{"Edge", "130.0", "yes", "300ms", "yes", "no", "1", "1", "no", ""},
	{"Firefox", "132.0", "yes", "250ms", "no", "no", "1", "1", "no", "yes"},
	{"Safari", "17.6", "yes", "50ms to 2s", "yes", "yes", "all", "all", "yes", ""},
	{"curl", "7.88.1", "yes", "200ms", "yes", "no", "1", "1", "no", ""},
	{"wget", "1.21.3", "yes", "none", "no", "no", "1", "0", "no", ""},
	{"Go `net.Dialer`", "1.26", "yes", "300ms", "no", "no", "all", "all", "no", "yes"},
}

// HE-01, HE-02, HE-03, HE-05, HE-06: "Lazy Eye Inspection".
func lazyEye(t *testing.T) string {
	head := []string{"client", "version", "IPv6 preferred", "attempt delay", "AAAA first", "resolution delay",
		"IPv6 addresses used", "IPv4 addresses used", "families take turns", "A look-up harms IPv6"}
	rows := append([][]string{head}, published...)
	cad, preferred := attemptDelay(t)
	v6, v4, turns := selection(t)
	rows = append(rows, []string{"**hostname:**", "this one", yesNo(preferred), cad, yesNo(aaaaFirst(t)), resolutionDelay(t),
		v6, v4, yesNo(turns), yesNo(harmedByA(t))})
	return table(rows)
}

func both(aaaa, a time.Duration) network {
	return network{
		aaaa: reply{addrs: []string{a6}}, a: reply{addrs: []string{x4}},
		paths: map[string]path{a6: {after: aaaa}, x4: {after: a}},
	}
}

// attemptDelay delays the IPv6 path from 0 to 400 ms in steps of 5 ms. The delay is the time between the two attempts,
// and it has to be the place where the family changes that wins.
func attemptDelay(t *testing.T) (delay string, preferred bool) {
	var started time.Duration
	for d := time.Duration(0); d <= 400*ms; d += 5 * ms {
		s := both(d, 0).dial(t, "")
		if len(s.attempts) == 1 {
			preferred = preferred || s.winner == a6 && d == 0
			continue
		}
		at := s.attempts[1].at
		if started == 0 {
			started = at
		}
		if at != started || d < at || s.winner != x4 && d > at {
			t.Errorf("IPv6 delayed by %v: %+v", d, s)
		}
	}
	return started.String(), preferred
}

// resolutionDelay delays the AAAA answer from 0 to 1 s in steps of 10 ms.
func resolutionDelay(t *testing.T) string {
	var started time.Duration
	for d := time.Duration(0); d <= time.Second; d += 10 * ms {
		w := both(0, 0)
		w.aaaa.after = d
		s := w.dial(t, "")
		if s.winner == a6 {
			continue
		}
		if started == 0 {
			started = s.attempts[0].at
		}
		if at := s.attempts[0].at; at != started || d < at {
			t.Errorf("AAAA delayed by %v: %+v", d, s)
		}
	}
	return "yes, " + started.String()
}

func aaaaFirst(t *testing.T) bool {
	defer inOrder()()
	s := both(0, 0).dial(t, "")
	return len(s.asked) == 2 && s.asked[0] == "ip6"
}

// selection has ten addresses of each family, whose answers come after 30 s.
func selection(t *testing.T) (v6, v4 string, turns bool) {
	w := network{paths: map[string]path{}}
	for i := range 10 {
		w.aaaa.addrs = append(w.aaaa.addrs, fmt.Sprintf("2001:db8::%d", i+1))
		w.a.addrs = append(w.a.addrs, fmt.Sprintf("192.0.2.%d", i+1))
	}
	for _, a := range append(w.aaaa.addrs, w.a.addrs...) {
		w.paths[a] = path{after: 30 * time.Second}
	}
	tried := w.dial(t, "").to()
	turns = strings.Join(families(tried), "") == strings.Repeat("64", 10)
	return used(count(tried, "6")), used(count(tried, "4")), turns
}

func used(n int) string {
	if n == 10 {
		return "all"
	}
	return fmt.Sprint(n)
}

// harmedByA reports whether IPv6, which works, connects later or not at all when the A look-up is in trouble.
func harmedByA(t *testing.T) bool {
	for _, a := range []reply{{never: true}, {after: 5 * time.Second, addrs: []string{x4}}, {err: errServFail}, {after: time.Second, err: errNoName}} {
		w := both(20*ms, 20*ms)
		w.a = a
		if s := w.dial(t, ""); s.winner != a6 || s.after != 20*ms {
			return true
		}
	}
	return false
}

// HE-02, HE-03, HE-04: the study's delayed and failing look-ups one by one.
func lookUps(t *testing.T) string {
	aaaa := func(after time.Duration) reply { return reply{after: after, addrs: []string{a6}} }
	a := func(after time.Duration) reply { return reply{after: after, addrs: []string{x4}} }
	never, failed := reply{never: true}, reply{after: 20 * ms, err: errServFail}
	rows := [][]string{{"AAAA answer", "A answer", "attempts", "connected"}}
	for _, tc := range []struct {
		aaaaText, aText string
		aaaa, a         reply
	}{
		{"at once", "at once", aaaa(0), a(0)},
		{"after 40ms", "at once", aaaa(40 * ms), a(0)},
		{"after 60ms", "at once", aaaa(60 * ms), a(0)},
		{"after 1s", "at once", aaaa(time.Second), a(0)},
		{"never", "at once", never, a(0)},
		{"empty after 20ms", "at once", reply{after: 20 * ms}, a(0)},
		{"NXDOMAIN after 20ms", "at once", reply{after: 20 * ms, err: errNoName}, a(0)},
		{"SERVFAIL after 20ms", "at once", failed, a(0)},
		{"at once", "after 1s", aaaa(0), a(time.Second)},
		{"at once", "never", aaaa(0), never},
		{"at once", "SERVFAIL after 20ms", aaaa(0), failed},
		{"after 1s", "SERVFAIL after 20ms", aaaa(time.Second), failed},
		{"never", "after 1s", never, a(time.Second)},
	} {
		s := network{aaaa: tc.aaaa, a: tc.a, paths: both(10*ms, 10*ms).paths}.dial(t, "")
		rows = append(rows, []string{tc.aaaaText, tc.aText, pattern(s), result(s)})
	}
	dead := network{aaaa: aaaa(200 * ms), a: a(0), paths: map[string]path{a6: {after: 10 * ms}}}.dial(t, "")
	rows = append(rows, []string{"after 200ms", "at once, but the address is dead", pattern(dead), result(dead)})
	return table(rows)
}

// HE-06: the metrics of RFC 6556 section 2.3 for a host of which one path works, or all.
func rfc6556(t *testing.T) string {
	addrs := []string{a6, b6, c6, x4}
	rows := [][]string{{"path that works", "the others are silent: attempts", "session setup", "the others refuse: attempts", "session setup"}}
	shortest, longest := [2]time.Duration{time.Hour, time.Hour}, [2]time.Duration{}
	for _, works := range append([]string{"all"}, addrs...) {
		row := []string{label[works]}
		for i, refuse := range []bool{false, true} {
			w := network{aaaa: reply{10 * ms, addrs[:3], nil, false}, a: reply{10 * ms, addrs[3:], nil, false}, paths: map[string]path{}}
			for _, addr := range addrs {
				switch {
				case works == "all", addr == works:
					w.paths[addr] = path{after: 20 * ms}
				case refuse:
					w.paths[addr] = path{after: 20 * ms, err: errRefused}
				}
			}
			s := w.dial(t, "")
			shortest[i], longest[i] = min(shortest[i], s.after), max(longest[i], s.after)
			row = append(row, pattern(s), s.after.String())
		}
		rows = append(rows, row)
	}
	rows = append(rows,
		[]string{"minimum session setup", "", shortest[0].String(), "", shortest[1].String()},
		[]string{"maximum session setup", "", longest[0].String(), "", longest[1].String()})
	return table(rows)
}

// HE-07, HE-08, and the memory: what the studies do not ask.
func beyond(t *testing.T) string {
	rows := [][]string{{"case", "attempts", "connected"}}
	add := func(text string, s session) { rows = append(rows, []string{text, pattern(s), result(s)}) }
	w := both(10*ms, 10*ms)
	w.paths[a6] = path{after: 10 * ms, mute: true}
	add("IPv6 accepts, then its handshake hangs", w.dials(t, "", 1, greeting))
	delete(w.paths, a6)
	add("IPv6 is dead, first dial", w.dials(t, "", 1, nil))
	add("IPv6 is dead, second dial", w.dials(t, "", 2, nil))
	add("IPv6 is dead, second dial with `memory=no`", w.dials(t, ":memory=no", 2, nil))
	add("IPv6 takes 300ms, IPv4 100ms", both(300*ms, 100*ms).dial(t, ""))
	return table(rows)
}

// pattern is the attempts as "IPv6 at 0s, IPv4 at 250ms".
func pattern(s session) string {
	var out []string
	for _, a := range s.attempts {
		out = append(out, fmt.Sprintf("%s at %v", label[a.addr], a.at))
	}
	return strings.Join(out, ", ")
}

func result(s session) string {
	if s.winner == "" {
		return fmt.Sprintf("no, after %v", s.after)
	}
	return fmt.Sprintf("%s after %v", label[s.winner], s.after)
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func table(rows [][]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			b.WriteString("|" + strings.Repeat("---|", len(row)) + "\n")
		}
	}
	return b.String()
}
