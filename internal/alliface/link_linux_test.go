package alliface

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// LI-12, LI-14, LI-15
func TestALinkIsDeletedAndMadeAnew(t *testing.T) {
	h := newHouse(t, everywhere(0))
	other := testenv.NewNetns(t)
	for _, round := range []struct {
		name, index, peerIndex string
		del                    func()
	}{
		{"another index", "", "", func() { h.ns.IP("link del v0") }},
		{"a given index", "index 77", "index 78", func() { h.ns.IP("link del v0") }},
		{"the same index", "index 77", "index 78", func() {
			h.ns.IP("link set v0 netns " + other.Name)
			h.await("gone elsewhere", are("127.0.0.1", "::1"))
			other.IP("link del v0")
		}},
		{"the same index after a move", "index 77", "index 78", func() { h.ns.IP("link del v0") }},
	} {
		round.del()
		h.await(round.name+": gone", are("127.0.0.1", "::1"))
		h.ns.IP(fmt.Sprintf("link add v0 %s type veth peer name v1 %s netns %s", round.index, round.peerIndex, h.neighbour.Name))
		sysctl(t, h.ns, "net.ipv6.conf.v0.accept_dad=0")
		sysctl(t, h.neighbour, "net.ipv6.conf.v1.accept_dad=0")
		h.ns.IP("link set v0 up")
		h.neighbour.IP("link set v1 up")
		h.ns.IP("addr add 192.0.2.1/24 dev v0")
		h.neighbour.IP("addr add 192.0.2.2/24 dev v1")
		linkLocal(t, h.neighbour, "v1")
		local := linkLocal(t, h.ns, "v0")
		h.await(round.name+": made anew", are("127.0.0.1", "::1", "192.0.2.1", local+"%v0"))
		h.reach(h.neighbour, "192.0.2.1", local+"%v1")
		h.reach(h.ns, local+"%v0")
	}
}

// A link that is deleted and made anew with the same index before anybody looks keeps its sockets, and they work.
func TestALinkIsMadeAnewAtOnceWithTheSameIndex(t *testing.T) {
	h := newHouse(t, everywhere(0))
	remake := []string{
		"link del v0",
		"link add v0 index 77 type veth peer name v1 index 78 netns " + h.neighbour.Name,
		"link set v0 addrgenmode none", "link set v0 up", "addr add fe80::1/64 dev v0 nodad", "addr add 192.0.2.1/24 dev v0",
	}
	for range 3 {
		batch(t, h.ns, remake...)
		h.neighbour.IP("link set v1 addrgenmode none up")
		h.neighbour.IP("addr add fe80::2/64 dev v1 nodad")
		h.neighbour.IP("addr add 192.0.2.2/24 dev v1")
		h.await("made anew", are("127.0.0.1", "::1", "192.0.2.1", "fe80::1%v0"))
		h.reach(h.neighbour, "192.0.2.1", "fe80::1%v1")
	}
}

// batch runs ip once with many commands.
func batch(t testing.TB, ns *testenv.Netns, commands ...string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "batch")
	if err := os.WriteFile(path, []byte(strings.Join(commands, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ns.IP("-batch " + path)
}

// LI-15: the sockets stay, their addresses have the new name, also those that come in later.
func TestALinkIsRenamed(t *testing.T) {
	h := newHouse(t, everywhere(0))
	local := linkLocal(t, h.ns, "v0")
	h.await("before", are("127.0.0.1", "::1", local+"%v0"))
	linkLocal(t, h.neighbour, "v1")
	established, err := h.dial(h.neighbour, local+"%v1")
	if err != nil {
		t.Fatal(err)
	}
	defer established.Close()
	h.ns.IP("link set v0 down")
	h.ns.IP("link set v0 name wan0 up")
	h.await("after", are("127.0.0.1", "::1", local+"%wan0"))
	h.reach(h.neighbour, local+"%v1")
	if err := ask(established); err != nil {
		t.Errorf("the connection from before: %v", err)
	}
}

// A name that leaves the selection takes its sockets along, not its connections.
func TestALinkIsRenamedOutOfTheSelection(t *testing.T) {
	spec := everywhere(0)
	spec.Include = patterns("lo", "v*")
	h := newHouse(t, spec)
	h.ns.IP("addr add 192.0.2.1/24 dev v0")
	h.neighbour.IP("addr add 192.0.2.2/24 dev v1")
	h.await("before", has("192.0.2.1"))
	established, err := h.dial(h.neighbour, "192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	defer established.Close()
	if err := ask(established); err != nil { // it is accepted
		t.Fatal(err)
	}
	h.ns.IP("link set v0 name wan0") // Linux can do that to a link that is up since 6.2
	h.await("after", are("127.0.0.1", "::1"))
	if err := ask(established); err != nil {
		t.Errorf("the connection from before: %v", err)
	}
	if c, err := h.dial(h.neighbour, "192.0.2.1"); err == nil {
		_ = c.Close()
		t.Error("a new connection is accepted")
	}
}
