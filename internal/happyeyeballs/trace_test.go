package happyeyeballs

import (
	"fmt"
	"github.com/epctl/endpoint/trace"
	"slices"
	"testing"
	"testing/synctest"
)

// The trace tells look-ups and attempts with the layer's name, each start with its end.
func TestTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{"2001:db8::1"}}
		w.dns["ip4"] = reply{addrs: []string{"192.0.2.1"}}
		w.host["2001:db8::1"] = peer{drop: true}
		w.host["192.0.2.1"] = peer{after: 20 * ms}
		if _, err := w.dialTo(t.Context(), w.engine(Config{Layer: "tcp"}), nil); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		open := map[uint64]trace.Event{}
		var lines []string
		for _, e := range w.events {
			if e.Layer != "tcp" {
				t.Errorf("layer %q", e.Layer)
			}
			switch e.Kind {
			case trace.ResolveStart, trace.AttemptStart:
				open[e.ID] = e
			case trace.AttemptDone:
				delete(open, e.ID)
				lines = append(lines, fmt.Sprintf("%s %v %v %v", e.Network, e.Remote, e.Elapsed, e.Err))
			case trace.ResolveDone:
				delete(open, e.ID)
			}
		}
		slices.Sort(lines)
		want := []string{"tcp4 192.0.2.1:443 20ms <nil>", "tcp6 [2001:db8::1]:443 270ms lost to 192.0.2.1:443"}
		if len(open) != 0 || !slices.Equal(lines, want) {
			t.Errorf("unfinished %v, attempts %q", open, lines)
		}
	})
}
