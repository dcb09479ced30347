package alliface

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/sockopt"
	"github.com/epctl/endpoint/internal/testenv"
)

// street is a listener's namespace with addresses of every kind, and a neighbour who can reach all but those on lo.
func street(t *testing.T) (ns, neighbour *testenv.Netns, inside, outside []string) {
	t.Helper()
	ns, neighbour = testenv.NewNetns(t), testenv.NewNetns(t)
	ns.Veth("v0", neighbour, "v1")
	hosts := []string{"192.0.2.1", "192.0.2.9", "2001:db8::1", "2001:db8::9"}
	for _, host := range hosts {
		length := "/24"
		if strings.Contains(host, ":") {
			length = "/64"
		}
		ns.IP("addr add " + host + length + " dev v0")
	}
	neighbour.IP("addr add 192.0.2.2/24 dev v1")
	neighbour.IP("addr add 2001:db8::2/64 dev v1")
	linkLocal(t, neighbour, "v1")
	local := linkLocal(t, ns, "v0")
	return ns, neighbour, append(slices.Clone(hosts), "127.0.0.1", "::1", local+"%v0"), append(hosts, local+"%v1")
}

// serveHTTP answers with the address that was asked, as the server knows it.
func serveHTTP(t *testing.T, ln net.Listener) {
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		host, _, _ := net.SplitHostPort(local.String())
		fmt.Fprint(w, host)
	})}
	done := make(chan error)
	go func() { done <- server.Serve(ln) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
}

func listenIn(t *testing.T, ns *testenv.Netns, spec Spec) (ln *Listener, port string) {
	t.Helper()
	inside(t, ns, func() (err error) {
		ln, err = NewServer(spec, 0, sockopt.DefaultListen()).Listen(context.Background())
		return err
	})
	t.Cleanup(func() { _ = ln.Close() })
	return ln, strconv.Itoa(ln.Addr().(*net.TCPAddr).Port)
}

// The client is not ours, and the server is http.Server.
func TestCurlReachesEveryAddress(t *testing.T) {
	testenv.Tool(t, "curl")
	for _, mode := range []string{Each, Wildcard} {
		t.Run(mode, func(t *testing.T) {
			ns, neighbour, in, out := street(t)
			spec := everywhere(0)
			spec.Mode = mode
			ln, port := listenIn(t, ns, spec)
			if mode == Each {
				awaitAddrs(t, ln, "at the beginning", are(slices.Clone(in)...))
			}
			serveHTTP(t, ln)
			for _, host := range in {
				curl(t, ns, host, port)
			}
			for _, host := range out {
				curl(t, neighbour, host, port)
			}
		})
	}
}

func curl(t *testing.T, ns *testenv.Netns, host, port string) {
	t.Helper()
	url := "http://" + net.JoinHostPort(strings.Replace(host, "%", "%25", 1), port) + "/"
	answer, err := ns.Command("curl", "-sS", "--max-time", "30", url).CombinedOutput()
	bare, _, _ := strings.Cut(host, "%")
	got, _, _ := strings.Cut(string(answer), "%")
	if err != nil || got != bare {
		t.Errorf("curl %s: %q, %v", url, answer, err)
	}
}

// The same with clients of Twisted, which connect to all at once.
func TestTwistedReachesEveryAddress(t *testing.T) {
	const python = "/usr/bin/python3"
	testenv.Need(t, exec.Command(python, "-c", "import twisted").Run() == nil, "Twisted (Debian: python3-twisted)")
	ns, neighbour, in, out := street(t)
	h := (&house{t: t, ns: ns, neighbour: neighbour, log: &log{}}).open(everywhere(0))
	h.await("at the beginning", are(slices.Clone(in)...))
	for _, side := range []struct {
		ns    *testenv.Netns
		hosts []string
	}{{ns, in}, {neighbour, out}} {
		args := append([]string{"testdata/twisted_client.py", strconv.Itoa(int(h.port))}, side.hosts...)
		answer, err := side.ns.Command(python, args...).CombinedOutput()
		var want []string
		for _, host := range side.hosts {
			want = append(want, host+" twisted")
		}
		got := strings.Split(strings.TrimSpace(string(answer)), "\n")
		slices.Sort(got)
		slices.Sort(want)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("Twisted: %v\n%s\nwant %q", err, answer, want)
		}
	}
}
