package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// within starts a program of this test in a network namespace.
func within(t *testing.T, ns *testenv.Netns, program string, args ...string) *child {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatal(err)
	}
	cmd := ns.Command(path, args...)
	return begin(t, cmd.Path, cmd.Args[1:]...)
}

// twoHosts are two namespaces with a link between them, called wire in both.
func twoHosts(t *testing.T) (a, b *testenv.Netns) {
	t.Helper()
	a, b = testenv.NewNetns(t), testenv.NewNetns(t)
	a.Veth("wire", b, "wire")
	for ns, addrs := range map[*testenv.Netns][]string{a: {"192.0.2.1/24", "2001:db8::1/64"}, b: {"192.0.2.2/24", "2001:db8::2/64"}} {
		for _, addr := range addrs {
			extra := ""
			if strings.Contains(addr, ":") {
				extra = " nodad"
			}
			ns.IP("addr add " + addr + " dev wire" + extra)
		}
	}
	return a, b
}

func TestInterfacesShowsWhatIsNotListenedOn(t *testing.T) {
	a, _ := twoHosts(t)
	a.IP("link add spare type veth peer name other")
	a.IP("addr add 198.51.100.1/24 dev spare")
	out, err := a.Command(epctl(t), "interfaces").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"    198.51.100.1/24\n", "alliface does not listen: the interface is down",
		"    2001:db8::1/64 ", "alliface listens", "multicast joins with interface=*", "multicast does not join with interface=*: the interface is down",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if lines := tooLong(string(out), 80); lines != nil {
		t.Errorf("longer than 80 columns: %q", lines)
	}
}

func epctl(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("epctl")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestInterfacesWatch(t *testing.T) {
	a, _ := twoHosts(t)
	text := within(t, a, "epctl", "interfaces", "--watch")
	objects := within(t, a, "epctl", "interfaces", "--watch", "--json")
	text.out.waits(t, "wire", "multicast joins with interface=*\n")
	objects.out.waits(t, `"name":"wire"`, "\n")
	a.IP("addr add 203.0.113.9/24 dev wire")
	text.out.waits(t, "wire 203.0.113.9/24 global permanent added: alliface", " listens\n")
	objects.out.waits(t, `"addr":"203.0.113.9"`, "\n")
	a.IP("addr del 203.0.113.9/24 dev wire")
	text.out.waits(t, "wire 203.0.113.9/24", " removed\n")
	a.IP("link add spare type veth peer name other")
	text.out.waits(t, "spare (index ", "the interface is down\n")
	a.IP("link set spare up")
	text.out.waits(t, " changed: up broadcast", "\n")
	a.IP("link del spare")
	text.out.waits(t, "spare (index ", " removed\n")
	for _, c := range []*child{text, objects} {
		interrupt(t, c)
		c.ends(130)
	}
	for line := range bytes.Lines([]byte(objects.out.String())) {
		if !json.Valid(line) {
			t.Errorf("no JSON: %s", line)
		}
	}
}

func TestListenShowsMulticastOverIPv6(t *testing.T) {
	a, b := twoHosts(t)
	s := "multicast:port=5399:group=[ff02::4242]:interface=wire"
	text := within(t, a, "epctl", "listen", s)
	echo := within(t, a, "epctl", "listen", "--json", "--echo", s)
	text.err.waits(t, "listening on ", "\n")
	echo.err.waits(t, "listening on ", "\n")
	c := within(t, b, "epctl", "dial", "--wait", "1m", "--replies", "1", s)
	from := strings.TrimSpace(b.IP("-6 -o addr show dev wire scope link"))
	from = strings.Fields(from)[3]
	from, _, _ = strings.Cut(from, "/")
	_, _ = c.in.Write([]byte("hello \x1b\n"))
	line := text.out.waits(t, "["+from+"%wire]:", "\n")
	if want := " to [ff02::4242%wire]:5399 on wire, 7 bytes: hello \\x1b"; !strings.HasSuffix(line, want) {
		t.Errorf("%q has no %q", line, want)
	}
	object := echo.out.waits(t, `{"from":"[`+from+`%wire]:`, "\n")
	if want := `"to":"[ff02::4242%wire]:5399","interface":"wire","length":7,"data":"aGVsbG8gGw=="}`; !strings.HasSuffix(object, want) {
		t.Errorf("%q has no %q", object, want)
	}
	c.out.waits(t, "hello", "\n")
	_ = c.in.Close()
	c.ends(0)
}

// try on a group of IPv6 goes out and comes back by each interface on which it is joined.
func TestTryMulticastOverIPv6(t *testing.T) {
	a, b := twoHosts(t)
	a.Veth("more", b, "more")
	out, err := a.Command(epctl(t), "try", "--timeout", "1m", "multicast:port=0:group=[ff02::4242,ff02::4243]:interface=*").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{"ff02::4242 on wire, from [fe80::", "ff02::4243 on wire, from [fe80::", "ff02::4242 on more, from [fe80::", "ff02::4243 on more, from [fe80::"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	out, err = a.Command(epctl(t), "try", "--timeout", "1m", "multicast:port=0:group=[ff02::4242]:interface=wire:loop=no").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "epctl: ff02::4242 is joined on wire, but with loop=no this host does not hear its own datagrams") {
		t.Errorf("%v\n%s", err, out)
	}
}

func interrupt(t *testing.T, c *child) {
	t.Helper()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
}
