package happyeyeballs

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
)

// HE-14
func TestBindAddressLeavesOutAFamily(t *testing.T) {
	const note = "IPv6 addresses are left out: the local address 192.0.2.9 is IPv4"
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{"2001:db8::1"}}
		e := w.engine(Config{Local: addrList("192.0.2.9")})
		_, err := w.dialTo(t.Context(), e, nil)
		if err == nil || !strings.Contains(err.Error(), note) || len(w.attempts) != 0 {
			t.Errorf("v6-only name: %v, tried %s", err, w.started())
		}
		if got := w.warnings(); !slices.Equal(got, []string{note}) {
			t.Errorf("trace warns %q", got)
		}
		if _, err = e.Dial(t.Context(), "2001:db8::1", 80); err == nil || !strings.Contains(err.Error(), note) {
			t.Errorf("v6 literal: %v", err)
		}
		w.dns["ip4"] = reply{addrs: []string{"192.0.2.1"}}
		w.host["192.0.2.1"] = peer{}
		if got, err := w.dialTo(t.Context(), e, nil); err != nil || got != "192.0.2.1" {
			t.Errorf("got %s, %v", got, err)
		}
	})
}

// HE-14
func TestBindAddressesOfBothFamilies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{"2001:db8::1"}}
		w.dns["ip4"] = reply{addrs: []string{"192.0.2.1"}}
		_, err := w.dialTo(t.Context(), w.engine(Config{Local: addrList("192.0.2.9", "2001:db8::9")}), nil)
		if err == nil || len(w.attempts) != 2 || len(w.warnings()) != 0 {
			t.Errorf("%v, tried %s, warned %q", err, w.started(), w.warnings())
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	tests := []struct {
		c    Config
		want string
	}{
		{Config{Network: "sctp"}, "Network"},
		{Config{Family: 9}, "Family"},
		{Config{AttemptDelay: 9 * ms}, "AttemptDelay: 9ms is not between 10ms and 2s"}, // HE-06
		{Config{AttemptDelay: 2001 * ms}, "AttemptDelay"},                              // HE-06
		{Config{FirstFamilyCount: -1}, "FirstFamilyCount"},
		{Config{Timeout: -1}, "Timeout"},
		{Config{Local: addrList("192.0.2.1", "::ffff:192.0.2.2")}, "Local: 192.0.2.1 and ::ffff:192.0.2.2 are both IPv4"},
		{Config{Local: addrList("192.0.2.1", "2001:db8::1", "2001:db8::2")}, "Local: 2001:db8::1 and 2001:db8::2 are both IPv6"},
		{Config{Local: make([]netip.Addr, 1)}, "Local: an address is missing"},
		{Config{Local: addrList("192.0.2.1"), Family: IPv6Only}, "Local: IPv6 addresses are left out"},
		{Config{Local: addrList("::1"), Family: IPv4Only}, "Local: IPv4 addresses are left out"},
	}
	for _, tt := range tests {
		if _, err := New(tt.c); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: got %v, want %q", tt.c, err, tt.want)
		}
	}
	if _, err := New(Config{}); err != nil {
		t.Error(err)
	}
}

func TestFamilyWords(t *testing.T) {
	for i, word := range familyNames {
		var f Family
		if err := f.UnmarshalText([]byte(word)); err != nil || f != Family(i) || f.String() != word {
			t.Errorf("%s: %v, %v", word, f, err)
		}
		if text, err := f.MarshalText(); err != nil || string(text) != word {
			t.Errorf("%s: %s, %v", word, text, err)
		}
	}
	var f Family
	if err := f.UnmarshalText([]byte("ipv4")); err == nil {
		t.Error("ipv4 is accepted")
	}
	if got := fmt.Sprint(Family(77)); got != "Family(77)" {
		t.Error(got)
	}
}

func addrList(texts ...string) []netip.Addr {
	var out []netip.Addr
	for _, s := range texts {
		out = append(out, netip.MustParseAddr(s))
	}
	return out
}
