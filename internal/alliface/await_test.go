package alliface

import (
	"net"
	"slices"
	"testing"
	"time"
)

// patience bounds every wait for the kernel. Nothing passes sooner or later because of it.
const patience = 30 * time.Second

type listening interface {
	Addrs() []net.Addr
	Changes() <-chan struct{}
}

func awaitAddrs(t testing.TB, l listening, what string, ok func([]string) bool) {
	t.Helper()
	timeout := time.After(patience)
	for {
		var hosts []string
		for _, a := range l.Addrs() {
			host, _, err := net.SplitHostPort(a.String())
			if err != nil {
				t.Fatal(err)
			}
			hosts = append(hosts, host)
		}
		if ok(hosts) {
			return
		}
		select {
		case <-l.Changes():
		case <-timeout:
			t.Fatalf("%s: after %v it listens on %q", what, patience, hosts)
		}
	}
}

func has(host string) func([]string) bool {
	return func(hosts []string) bool { return slices.Contains(hosts, host) }
}

func hasNot(host string) func([]string) bool {
	return func(hosts []string) bool { return !slices.Contains(hosts, host) }
}

func are(want ...string) func([]string) bool {
	slices.Sort(want)
	return func(hosts []string) bool {
		slices.Sort(hosts)
		return slices.Equal(hosts, want)
	}
}
