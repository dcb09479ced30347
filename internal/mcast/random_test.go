package mcast

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/epctl/endpoint/internal/netif"
)

// Whatever happens to the interfaces and whatever is joined and left, the kernel has what is wanted where it is wanted,
// and no entry of a former interface. MC-02, MC-03
func TestAnyHistoryEndsInWhatIsWanted(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			h := &history{rand: rand.New(rand.NewPCG(seed, 0)), world: newWorld(t), wanted: map[wanted]bool{}}
			for range 60 {
				h.step()
				if err := h.check(); err != nil {
					t.Fatalf("seed %d: %v\n%q", seed, err, h.log)
				}
			}
		})
	}
}

type wanted struct {
	channel  Channel
	selector string
}

type history struct {
	rand       *rand.Rand
	world      *world
	interfaces []netif.Interface
	generation uint64
	wanted     map[wanted]bool
	log        []string
}

func (h *history) step() {
	if h.rand.IntN(3) == 0 {
		h.changeMembership()
		return
	}
	// Several changes may be one to the watcher.
	for range 1 + h.rand.IntN(3) {
		h.changeInterface()
	}
	if h.rand.IntN(10) == 0 {
		h.world.lost++
	}
	h.world.become(slices.Clone(h.interfaces)...)
	h.log = append(h.log, fmt.Sprint("become ", describe(h.interfaces)))
}

func describe(list []netif.Interface) (text []string) {
	for _, i := range list {
		text = append(text, fmt.Sprintf("%d:%s gen %d up %v %v", i.Index, i.Name, i.Generation, i.Up(), i.Addrs))
	}
	return text
}

// changeInterface changes one of three names: it appears with an index that may have been another's, goes, goes down or
// up, or gets or loses an address.
func (h *history) changeInterface() {
	name := string(rune('a' + h.rand.IntN(3)))
	at := slices.IndexFunc(h.interfaces, func(i netif.Interface) bool { return i.Name == name })
	if at < 0 {
		h.generation++
		index := 2 + h.rand.IntN(4)
		if slices.ContainsFunc(h.interfaces, func(i netif.Interface) bool { return i.Index == index }) {
			return
		}
		h.interfaces = append(h.interfaces, eth(index, name, h.generation))
		return
	}
	i := &h.interfaces[at]
	switch h.rand.IntN(4) {
	case 0:
		h.interfaces = slices.Delete(h.interfaces, at, at+1)
	case 1:
		*i = down(*i)
	case 2:
		i.Flags = up
	case 3:
		had := len(i.Addrs) > 0
		*i = eth(i.Index, i.Name, i.Generation)
		if !had {
			*i = eth(i.Index, i.Name, i.Generation, "192.0.2.1/24")
		}
	}
}

func (h *history) changeMembership() {
	channels := []Channel{channel("239.1.2.3"), channel("239.1.2.4"), channel("232.1.1.1", "192.0.2.8"), channel("232.1.1.1", "192.0.2.9")}
	w := wanted{channels[h.rand.IntN(len(channels))], []string{"a", "b", "2", "3", "192.0.2.1", "*"}[h.rand.IntN(6)]}
	if h.wanted[w] {
		if err := h.world.Leave(w.channel, sel(w.selector)); err == nil {
			delete(h.wanted, w)
		}
	} else if err := h.world.Join(w.channel, sel(w.selector)); err == nil {
		h.wanted[w] = true
	}
	h.log = append(h.log, fmt.Sprintf("%v wanted %v", w, h.wanted[w]))
}

func (h *history) check() error {
	expect := map[entry]uint64{}
	for w := range h.wanted {
		sel(w.selector).visit(h.world.watch.Snapshot(), func(i netif.Interface) {
			expect[entry{i.Index, w.channel}] = i.Generation
		})
	}
	have := h.world.kernel.all()
	if len(have) != len(expect) {
		return fmt.Errorf("the kernel has %v, wanted is %v", have, expect)
	}
	for e, generation := range expect {
		if have[e] != generation || !h.world.Takes(e.Group, e.Source, e.index) {
			return fmt.Errorf("the kernel has %v, wanted is %v", have, expect)
		}
	}
	if n := len(h.world.Joined()); n != len(expect) {
		return fmt.Errorf("%d joined, wanted is %v", n, expect)
	}
	return nil
}
