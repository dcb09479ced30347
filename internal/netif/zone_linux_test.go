package netif

import (
	"fmt"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// MC-02, LI-14: package net names the old index for up to a minute.
func TestZoneIndexIsFreshAfterAnInterfaceWasMadeAnew(t *testing.T) {
	ns := testenv.NewNetns(t)
	index := func(zone string) (index int) {
		inside(t, ns, func() (err error) {
			index, err = ZoneIndex(zone)
			return err
		})
		return index
	}
	for want := 100; want < 105; want++ {
		ns.IP(fmt.Sprintf("link add v0 index %d type bridge", want))
		if got := index("v0"); got != want {
			t.Errorf("ZoneIndex(v0) = %d, want %d", got, want)
		}
		ns.IP("link del v0")
	}
}

// LI-14, RFC 4007 section 11.2
func TestZoneIndexTakesAlternativeNamesAndNamesOfDigits(t *testing.T) {
	ns := testenv.NewNetns(t)
	ns.IP("link add 7 index 40 type bridge")
	ns.IP("link add b0 index 41 type bridge")
	long := "an-alternative-name-that-is-longer-than-a-name-may-be"
	ns.IP("link property add dev b0 altname short altname " + long)
	for zone, want := range map[string]int{"7": 40, "40": 40, "b0": 41, "short": 41, long: 41, "41": 41} {
		inside(t, ns, func() error {
			if got, err := ZoneIndex(zone); err != nil || got != want {
				return fmt.Errorf("ZoneIndex(%s) = %d, %v, want %d", zone, got, err, want)
			}
			return nil
		})
	}
}

// LI-14
func TestUnknownZoneListsTheInterfacesOfTheNamespace(t *testing.T) {
	ns, _ := pair(t)
	inside(t, ns, func() error {
		_, err := ZoneIndex("eth9")
		if want := `no such interface "eth9" (there are: lo, v0)`; err == nil || err.Error() != want {
			return fmt.Errorf("got %v, want %s", err, want)
		}
		return nil
	})
}
