package main

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/trace"
)

// raceEvents are those of a dial to a host with a dead address in front, as they were recorded.
func raceEvents(start time.Time) ([]trace.Event, dialResult) {
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	tcp := func(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }
	dead, closed, live := tcp("[2001:db8::1]:443"), tcp("192.0.2.7:443"), tcp("[2001:db8:1234:5678:9abc:def0:1234:5678]:443")
	local := tcp("[2001:db8::9]:50000")
	v6 := []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:1234:5678:9abc:def0:1234:5678")}
	return []trace.Event{
		{Kind: trace.Built, Time: at(0), Layer: "hostname", Layers: []trace.Layer{{Name: "hostname", Text: "hostname:www.example:https"}}},
		{Kind: trace.Warning, Time: at(1), Layer: "hostname", Detail: "70 IPv6 addresses: only the first 64 are used"},
		{Kind: trace.ResolveStart, Time: at(2), ID: 5, Layer: "hostname", Network: "ip6", Host: "www.example"},
		{Kind: trace.ResolveStart, Time: at(2), ID: 6, Layer: "hostname", Network: "ip4", Host: "www.example"},
		{Kind: trace.ResolveDone, Time: at(22), ID: 5, Layer: "hostname", Addrs: v6, Elapsed: 20 * time.Millisecond},
		{Kind: trace.AttemptStart, Time: at(22), ID: 7, Layer: "hostname", Network: "tcp6", Remote: dead},
		{Kind: trace.AttemptStart, Time: at(272), ID: 8, Layer: "hostname", Network: "tcp4", Remote: closed},
		{Kind: trace.AttemptDone, Time: at(292), ID: 8, Err: &net.OpError{Op: "dial", Net: "tcp4", Err: errors.New("connect: connection refused")}, Elapsed: 20 * time.Millisecond},
		{Kind: trace.AttemptStart, Time: at(292), ID: 9, Layer: "hostname", Network: "tcp6", Remote: live},
		{Kind: trace.AttemptDone, Time: at(322), ID: 9, Local: local, Remote: live, Elapsed: 30 * time.Millisecond},
		{Kind: trace.AttemptDone, Time: at(323), ID: 7, Err: errors.New("lost to " + live.String()), Elapsed: 301 * time.Millisecond},
		{Kind: trace.ResolveDone, Time: at(324), ID: 6, Err: context.Canceled, Elapsed: 322 * time.Millisecond},
	}, dialResult{at: at(322), local: local, remote: live}
}

func TestChart(t *testing.T) {
	start := time.Now()
	events, result := raceEvents(start)
	got := newChart(events, start, result).text(&output{file: io.Discard, width: 80})
	want := `
hostname:www.example:https
connected after 322 ms, 1 won, 1 lost, 1 failed
              0 ms                 324 ms
warning       ◆                            hostname: 70 IPv6 addresses: only the
                                           first 64 are used
resolve 1     ━│                           www.example ip6: 2001:db8::1
                                           2001:db8:1234:5678:9abc:def0:1234:567
                                           8
                                           after 20 ms
resolve 2     ━━━━━━━━━━━━━━━━━━━━━━━━━━○  www.example ip4: given up after 322
                                           ms, when there was a connection
attempt 3      ━━━━━━━━━━━━━━━━━━━━━━━━○   [2001:db8::1]:443 lost to attempt 5
                                           after 301 ms
attempt 4                          ━━×     192.0.2.7:443 failed after 20 ms:
                                           connect: connection refused
attempt 5                            ━━●   [2001:db8:1234:5678:9abc:def0:1234:56
                                           78]:443
                                           won: connected from
                                           [2001:db8::9]:50000 after 30 ms
`
	if "\n"+got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestChartFitsTheWidth(t *testing.T) {
	start := time.Now()
	race, result := raceEvents(start)
	for _, events := range [][]trace.Event{race, sampleEvents(start), nil} {
		for _, width := range []int{60, 80, 100} {
			text := newChart(events, start, result).text(&output{file: io.Discard, width: width})
			if lines := tooLong(text, width); lines != nil {
				t.Errorf("%d columns: %q", width, lines)
			}
		}
	}
}

func TestChartOfWhatIsNotOver(t *testing.T) {
	start := time.Now()
	events, result := raceEvents(start)
	result.err = context.DeadlineExceeded
	c := newChart(events[:7], start, result)
	var fates []fate
	for _, b := range c.bars {
		fates = append(fates, b.fate)
	}
	if want := []fate{noted, done, underWay, underWay, underWay}; !slices.Equal(fates, want) || c.verdict != "failed after 322 ms, 2 under way" {
		t.Errorf("%v, %q", fates, c.verdict)
	}
}

// A connection whose handshake lost the race is not the winner, though it connected first.
func TestChartKnowsTheWinnerByItsAddress(t *testing.T) {
	start := time.Now()
	first, second := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1}, &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2}
	events := []trace.Event{
		{Kind: trace.AttemptStart, Time: start, ID: 1}, {Kind: trace.AttemptDone, Time: start, ID: 1, Local: first},
		{Kind: trace.AttemptStart, Time: start, ID: 2}, {Kind: trace.AttemptDone, Time: start, ID: 2, Local: second},
		{Kind: trace.AttemptStart, Time: start, ID: 3}, {Kind: trace.AttemptDone, Time: start, ID: 3},
	}
	for local, want := range map[net.Addr]int{first: 0, second: 1, nil: 2} {
		c := newChart(events, start, dialResult{at: start, local: local})
		if got := slices.IndexFunc(c.bars, func(b bar) bool { return b.fate == won }); got != want {
			t.Errorf("%v: bar %d won, not %d", local, got, want)
		}
	}
}

func TestOnlyRacesAreDrawn(t *testing.T) {
	resolve, attempt := trace.Event{Kind: trace.ResolveStart}, trace.Event{Kind: trace.AttemptStart}
	for _, c := range []struct {
		events []trace.Event
		want   bool
	}{
		{nil, false},
		{[]trace.Event{{Kind: trace.Built}, attempt, {Kind: trace.HandshakeStart}}, false},
		{[]trace.Event{resolve, attempt}, true},
		{[]trace.Event{attempt, attempt}, true},
	} {
		if raced(c.events) != c.want {
			t.Errorf("%v: %v", c.events, !c.want)
		}
	}
}

func TestTicksAreRound(t *testing.T) {
	for total, want := range map[time.Duration]string{
		1: "0s 1ns", 324 * time.Millisecond: "0s 100ms 200ms 300ms", 2 * time.Second: "0s 500ms 1s 1.5s 2s", time.Hour: "0s 16m40s 33m20s 50m0s",
	} {
		var words []string
		for _, mark := range ticks(total, 5) {
			words = append(words, mark.String())
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%v: %s", total, got)
		}
	}
}

// hostileEvents have what a peer, a name server or a description could smuggle into a picture.
func hostileEvents(start time.Time) []trace.Event {
	const text = "</text><script>alert(1)</script>]]>&lt;\"'\x00\x1b[2J\u202e\ufffe\xff\u2028"
	remote := &net.IPAddr{IP: net.IPv6loopback, Zone: text}
	events := []trace.Event{
		{Kind: trace.Built, Time: start, Layers: []trace.Layer{{Text: text}}},
		{Kind: trace.ResolveStart, Time: start, ID: 1, Layer: text, Network: text, Host: text},
		{Kind: trace.ResolveDone, Time: start, ID: 1, Err: &net.DNSError{Err: text, Name: text, Server: text}},
		{Kind: trace.ResolveStart, Time: start, ID: 2, Layer: "other", Host: strings.Repeat("x", 1<<16)},
		{Kind: trace.ResolveDone, Time: start, ID: 2, Addrs: slices.Repeat([]netip.Addr{netip.IPv6Unspecified().WithZone(text)}, 500)},
		{Kind: trace.AttemptStart, Time: start, ID: 3, Remote: remote},
		{Kind: trace.AttemptDone, Time: start.Add(time.Second), ID: 3, Err: errors.New(strings.Repeat(text, 1000))},
		{Kind: trace.Warning, Time: start.Add(-time.Second), Detail: text},
		{Kind: trace.AttemptDone, Time: start, ID: 77},
	}
	for i := range uint64(1000) {
		events = append(events, trace.Event{Kind: trace.AttemptStart, Time: start, ID: 100 + i, Remote: remote})
	}
	return events
}

func TestSVGIsWellFormedWhateverIsInIt(t *testing.T) {
	start := time.Now()
	race, result := raceEvents(start)
	failed := dialResult{at: start.Add(3 * time.Second), err: errors.New("x")}
	for name, c := range map[string]chart{
		"race": newChart(race, start, result), "hostile": newChart(hostileEvents(start), start, failed), "nothing": newChart(nil, start, failed),
	} {
		t.Run(name, func(t *testing.T) {
			svg := c.svg()
			if len(svg) > 1<<20 {
				t.Errorf("%d bytes", len(svg))
			}
			if i := strings.IndexFunc(svg, func(r rune) bool { return r != '\n' && !shows(r) }); i >= 0 {
				t.Errorf("%.20q is not to be shown", svg[i:])
			}
			for _, element := range elements(t, svg) {
				if !slices.Contains([]string{"svg", "title", "desc", "style", "rect", "circle", "line", "text"}, element.Name.Local) {
					t.Errorf("an element %s", element.Name.Local)
				}
				for _, a := range element.Attr {
					if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") {
						t.Errorf("an attribute %s", a.Name.Local)
					}
				}
			}
		})
	}
}

// The text of a picture is that of the chart: nothing is lost by escaping, and nothing leads out of the file.
func TestSVGTellsTheStory(t *testing.T) {
	start := time.Now()
	events, result := raceEvents(start)
	svg := newChart(events, start, result).svg()
	for _, want := range []string{"hostname:www.example:https", "connected after 322 ms", "prefers-color-scheme: dark", `class="won"`, `class="lost"`, `class="broke"`, ">192.0.2.7:443 failed after 20 ms: connect: connection refused<"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %q in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "url(") || strings.Contains(svg, "@import") || strings.Count(svg, "http") != 3 { // the namespace, and https in the title and in the text
		t.Errorf("it refers to something outside: %d times http", strings.Count(svg, "http"))
	}
}

func elements(t *testing.T, text string) (list []xml.StartElement) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		if start, ok := token.(xml.StartElement); ok {
			list = append(list, start.Copy())
		}
	}
}
