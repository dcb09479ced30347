package netif

import (
	"errors"
	"github.com/epctl/endpoint/internal/testenv"
	"net"
	"strconv"
	"strings"
	"testing"
)

func loopback(t testing.TB) net.Interface {
	t.Helper()
	interfaces, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagLoopback != 0 {
			return i
		}
	}
	testenv.Need(t, false, "a loopback interface")
	return net.Interface{}
}

// LI-14
func TestZoneIndexTakesANameOrADecimalIndex(t *testing.T) {
	lo := loopback(t)
	for _, zone := range []string{lo.Name, strconv.Itoa(lo.Index)} {
		if got, err := ZoneIndex(zone); err != nil || got != lo.Index {
			t.Errorf("ZoneIndex(%q) = %d, %v, want %d", zone, got, err, lo.Index)
		}
	}
	if got, err := ZoneName(lo.Index); err != nil || got != lo.Name {
		t.Errorf("ZoneName(%d) = %q, %v, want %q", lo.Index, got, err, lo.Name)
	}
}

// LI-14
func TestUnknownZoneListsTheInterfacesThatExist(t *testing.T) {
	lo := loopback(t)
	for _, zone := range []string{
		"", "nope", "a name", "no/pe", "no:pe", "no\x00pe", "..", "0", "-1", "+1", "2147483647", "2147483648",
		"99999999999999999999", strings.Repeat("n", 16), strings.Repeat("n", 127), strings.Repeat("n", 9000),
	} {
		index, err := ZoneIndex(zone)
		if index != 0 || !errors.Is(err, ErrNoInterface) {
			t.Errorf("ZoneIndex(%q) = %d, %v, want ErrNoInterface", zone, index, err)
			continue
		}
		if text := err.Error(); !strings.Contains(text, strconv.Quote(zone)) || !strings.Contains(text, lo.Name) {
			t.Errorf("ZoneIndex(%q): %q names not both the zone and %s", zone, text, lo.Name)
		}
	}
	for _, index := range []int{0, -1, 1<<31 - 1} {
		name, err := ZoneName(index)
		if name != "" || !errors.Is(err, ErrNoInterface) {
			t.Errorf("ZoneName(%d) = %q, %v, want ErrNoInterface", index, name, err)
		}
	}
}

func TestListOfInterfacesInAnErrorIsBounded(t *testing.T) {
	names := strings.Fields(strings.Repeat("eth ", maxListed+3))
	if got, want := listed(names), strings.Repeat("eth, ", maxListed-1)+"eth and 3 more"; got != want {
		t.Errorf("listed = %q, want %q", got, want)
	}
	if got := listed(nil); got != "none" {
		t.Errorf("listed(nil) = %q", got)
	}
}

func BenchmarkZoneIndex(b *testing.B) {
	lo := loopback(b)
	for _, zone := range []string{lo.Name, strconv.Itoa(lo.Index)} {
		b.Run(zone, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ZoneIndex(zone); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
