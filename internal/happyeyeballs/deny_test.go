package happyeyeballs

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/epctl/endpoint/trace"
)

func rules(t testing.TB, texts ...string) []DenyRule {
	t.Helper()
	var out []DenyRule
	for _, s := range texts {
		r, err := ParseDenyRule(s)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// HE-15
func TestDenyRules(t *testing.T) {
	tests := []struct {
		rule string
		in   string
		out  string
	}{
		{"loopback", "127.0.0.1 127.9.9.9 ::1 0.0.0.0 0.1.2.3 :: ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1:: ::127.0.0.1 ::1%lo",
			"10.0.0.1 128.0.0.1 1.0.0.0 fe80::1 2001:db8::1 64:ff9b::102:304"},
		{"linklocal", "169.254.169.254 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.0.1 64:ff9b::a9fe:a9fe", "169.253.0.1 fec0::1 ::1"},
		{"multicast", "224.0.0.1 239.255.255.255 255.255.255.255 ff02::1%eth0 ff0e::1", "223.255.255.255 240.0.0.1 fe80::1"},
		{"private", "127.0.0.1 ::1 0.0.0.0 :: 169.254.169.254 fe80::1%eth0 224.0.0.1 ff02::1 10.1.2.3 172.16.0.1 172.31.255.255 " +
			"192.168.1.1 100.64.0.1 192.0.0.170 198.18.0.1 240.0.0.1 255.255.255.255 fc00::1 fd12::1 fec0::1 ::ffff:10.0.0.1 64:ff9b::a00:1 " +
			"2002:a00:1::1 ::10.0.0.1 64:ff9b:1::1",
			"8.8.8.8 172.15.255.255 172.32.0.0 100.63.0.1 100.128.0.1 192.0.1.1 198.17.0.1 2600::1 64:ff9b::808:808 2002:808:808::1 " +
				"::ffff:8.8.8.8 2001:db8::1 192.0.2.1"},
		{"10.0.0.0/8", "10.0.0.0 ::ffff:10.255.255.255 64:ff9b::a00:1", "11.0.0.0 ::1 2001:db8::1"},
		{"10.1.2.3/8", "10.9.9.9", "11.0.0.0"},
		{"0.0.0.0/0", "8.8.8.8 64:ff9b::808:808", "::1 :: 2001:db8::1"},
		{"2001:db8::/32", "2001:db8::1 2001:db8::1%eth0", "2001:db9::1 10.0.0.1"},
		{"192.0.2.1", "192.0.2.1 ::ffff:192.0.2.1", "192.0.2.2"},
		{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"},
		{"::1", "::1 ::1%lo", "::2 127.0.0.1"},
	}
	for _, tt := range tests {
		r := rules(t, tt.rule)[0]
		for addr := range strings.FieldsSeq(tt.in) {
			if !r.Contains(netip.MustParseAddr(addr)) {
				t.Errorf("%s does not deny %s", tt.rule, addr)
			}
		}
		for addr := range strings.FieldsSeq(tt.out) {
			if r.Contains(netip.MustParseAddr(addr)) {
				t.Errorf("%s denies %s", tt.rule, addr)
			}
		}
	}
}

func TestDenyRuleTexts(t *testing.T) {
	for _, s := range []string{"private", "loopback", "10.0.0.0/8", "2001:db8::1"} {
		var r DenyRule
		if err := r.UnmarshalText([]byte(s)); err != nil || r.String() != s {
			t.Errorf("%s: %v, %v", s, r, err)
		}
		if text, err := r.MarshalText(); err != nil || string(text) != s {
			t.Errorf("%s: %s, %v", s, text, err)
		}
	}
	for _, s := range []string{"", "Private", "10.0.0", "10.0.0.0/33", "fe80::1%eth0", "fe80::%eth0/10", "::ffff:10.0.0.0/104", "example.com"} {
		var r DenyRule
		if err := r.UnmarshalText([]byte(s)); err == nil || r.Contains(netip.IPv6Loopback()) {
			t.Errorf("%q is accepted", s)
		}
	}
	if DenyAny() != nil {
		t.Error("no rules deny something")
	}
}

// HE-15: DNS rebinding. The name answers with a public address first and with 127.0.0.1 the second time, or with both.
func TestDeniedAddressIsNotDialed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip4"] = reply{addrs: []string{x4}}
		w.host[x4], w.host["127.0.0.1"], w.host["10.0.0.1"] = peer{}, peer{}, peer{}
		e := w.engine(Config{Deny: DenyAny(rules(t, "192.0.0.0/24", "private")...)})
		if got, err := w.dialTo(t.Context(), e, nil); got != x4 {
			t.Fatalf("got %s, %v", got, err)
		}
		w.attempts = nil
		w.dns["ip4"] = reply{addrs: []string{"127.0.0.1"}}
		_, err := w.dialTo(t.Context(), e, nil)
		var denied *DeniedError
		if !errors.As(err, &denied) || denied.Addr.String() != "127.0.0.1" || denied.Rule.String() != "private" || len(w.attempts) != 0 {
			t.Errorf("%v, tried %s", err, w.started())
		}
		if want := "127.0.0.1:443 (IPv4): not tried: denied by deny=private"; !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
		w.dns["ip6"] = reply{addrs: []string{"::ffff:10.0.0.1", "fe80::1%eth0", "64:ff9b::a00:1"}}
		w.dns["ip4"] = reply{addrs: []string{"127.0.0.1", "10.0.0.1", x4}}
		if got, err := w.dialTo(t.Context(), e, nil); got != x4 || len(w.attempts) != 1 {
			t.Errorf("got %s, %v by %s", got, err, w.started())
		}
	})
}

// HE-15: a literal, localhost, and the trace of what was denied.
func TestDeniedLiteral(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.host["127.0.0.1"], w.host["::1"] = peer{}, peer{}
		e := w.engine(Config{Deny: DenyAny(rules(t, "loopback")...)})
		for _, host := range []string{"127.0.0.1", "::ffff:127.0.0.1", "::1", "::1%lo", "localhost"} {
			_, err := e.Dial(trace.With(t.Context(), w.record), host, 80)
			var denied *DeniedError
			if !errors.As(err, &denied) {
				t.Errorf("%s: %v", host, err)
			}
		}
		if len(w.attempts) != 0 {
			t.Errorf("tried %s", w.started())
		}
		if len(w.events) != 12 || w.events[1].Kind != trace.AttemptDone || w.events[1].Err == nil {
			t.Errorf("%d events: %v", len(w.events), w.events)
		}
		outcomes(t, e, map[string]Outcome{})
	})
}
