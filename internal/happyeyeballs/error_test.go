package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func opError(errno syscall.Errno) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", errno)}
}

// HE-11: all fail differently, one line an address, each cause and the context's error to be found.
func TestErrorTellsEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"] = reply{addrs: []string{a6, b6, c6, d6}}
		w.dns["ip4"] = reply{addrs: []string{x4, y4, z4}}
		errnos := map[string]syscall.Errno{
			a6: syscall.ECONNREFUSED, b6: syscall.ENETUNREACH, c6: syscall.EACCES, x4: syscall.EINVAL, y4: syscall.EHOSTUNREACH,
		}
		for a, errno := range errnos {
			w.host[a] = peer{after: 12 * ms, err: opError(errno)}
		}
		w.host[d6] = peer{after: 10 * ms, mute: true}
		w.host[z4] = peer{drop: true}
		_, err := w.dialTo(t.Context(), w.engine(Config{Timeout: time.Second}), w.upgrade)

		for a, errno := range errnos {
			if !errors.Is(err, errno) {
				t.Errorf("%s: %v is not found", a, errno)
			}
		}
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
			t.Error("the context's error is not the deadline")
		}
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Error("no timeout")
		}
		want := []string{
			`dial "host.example" port 443: context deadline exceeded after 1s`,
			"[" + a6 + "]:443 (IPv6): connect failed after 12ms: connect: " + syscall.ECONNREFUSED.Error(),
			x4 + ":443 (IPv4): connect failed after 12ms: connect: " + syscall.EINVAL.Error(),
			"[" + b6 + "]:443 (IPv6): connect failed after 12ms: connect: " + syscall.ENETUNREACH.Error(),
			y4 + ":443 (IPv4): connect failed after 12ms: connect: " + syscall.EHOSTUNREACH.Error(),
			"[" + c6 + "]:443 (IPv6): connect failed after 12ms: connect: " + syscall.EACCES.Error(),
			z4 + ":443 (IPv4): connect failed after 940ms: context deadline exceeded",
			"[" + d6 + "]:443 (IPv6): handshake failed after 690ms: context deadline exceeded",
		}
		if got := err.Error(); got != strings.Join(want, "\n  ") {
			t.Errorf("got\n%s", got)
		}
	})
}

// HE-11
func TestErrorTexts(t *testing.T) {
	to := netip.MustParseAddrPort("[2001:db8::a]:443")
	connect := Attempt{Addr: to, Family: "IPv6", Stage: StageConnect, Elapsed: 1234567, Err: opError(syscall.ECONNREFUSED)}
	lookUp := Attempt{Family: "IPv4", Stage: StageResolve, Elapsed: 5 * time.Second,
		Err: &net.DNSError{Err: "server misbehaving", Name: "x", Server: "192.0.2.53:53"}}
	tests := []struct {
		name string
		err  *Error
		want string
	}{
		{"one attempt to a literal", &Error{Host: "2001:db8::a", Port: 443, Attempts: []Attempt{connect}},
			"dial [2001:db8::a]:443: [2001:db8::a]:443 (IPv6): connect failed after 1.23ms: connect: connection refused"},
		{"a look-up", &Error{Host: "h", Port: 25, Attempts: []Attempt{lookUp}},
			`dial "h" port 25: look-up of IPv4 addresses failed after 5s: server misbehaving (server 192.0.2.53:53)`},
		{"two", &Error{Host: "h", Port: 25, Attempts: []Attempt{connect, lookUp}, Elapsed: 5 * time.Second},
			"dial \"h\" port 25: 2 attempts failed in 5s\n  " + connect.String() + "\n  " + lookUp.String()},
		{"left out", &Error{Host: "h", Port: 25, Attempts: []Attempt{{Addr: to, Family: "IPv6", Stage: StageFilter, Err: errBroken}}},
			`dial "h" port 25: [2001:db8::a]:443 (IPv6): not tried: handshake broken`},
		{"cancelled with nothing known", &Error{Host: "h", Port: 25, Err: context.Canceled, Untried: 3, Note: "why"},
			`dial "h" port 25: context canceled after 0s: addresses not tried: 3: why`},
	}
	for _, tt := range tests {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

// HE-11: whatever a name, a zone, a peer or a resolver says, the text is printable and bounded.
func TestErrorTextIsSafe(t *testing.T) {
	evil := "\x1b]0;owned\x07\r\n220 fake\u202e\u0085\xff"
	huge := strings.Repeat("x", 100_000)
	zone := netip.AddrPortFrom(netip.MustParseAddr("fe80::1").WithZone(evil), 443)
	for _, cause := range []error{
		errors.New(evil), errors.New(huge), &net.DNSError{Err: evil, Name: evil, Server: evil}, &net.DNSError{Err: huge},
		&net.OpError{Op: "dial", Err: errors.New(evil)}, &net.OpError{Op: "read", Err: errors.New(evil)},
	} {
		for _, host := range []string{evil, huge, "fe80::1%" + evil} {
			err := &Error{Host: host, Note: evil, Attempts: []Attempt{
				{Addr: zone, Family: "IPv6", Stage: StageConnect, Err: cause},
				{Addr: zone, Family: "IPv6", Stage: StageFilter, Err: cause},
				{Stage: StageResolve, Err: cause},
			}}
			text := err.Error()
			if len(text) > 3000 {
				t.Errorf("%d bytes", len(text))
			}
			for _, line := range strings.Split(text, "\n") {
				if clean(line) != line || !strings.HasPrefix(line, "dial ") && !strings.HasPrefix(line, "  ") {
					t.Errorf("line %q", line)
				}
			}
			if n := strings.Count(text, "\n"); n != 3 {
				t.Errorf("%d line ends", n)
			}
		}
	}
}

// HE-11
func TestTimeout(t *testing.T) {
	at := func(stage Stage, err error) Attempt { return Attempt{Stage: stage, Err: err} }
	late, refused := opError(syscall.ETIMEDOUT), opError(syscall.ECONNREFUSED)
	slowDNS := &net.DNSError{Err: "timeout", IsTimeout: true}
	tests := []struct {
		name string
		err  Error
		want bool
	}{
		{"deadline", Error{Err: context.DeadlineExceeded, Attempts: []Attempt{at(StageConnect, refused)}}, true},
		{"cancelled", Error{Err: context.Canceled, Attempts: []Attempt{at(StageConnect, late)}}, false},
		{"every address", Error{Attempts: []Attempt{at(StageConnect, late), at(StageConnect, gaveWayError{time.Second})}}, true},
		{"not every address", Error{Attempts: []Attempt{at(StageConnect, late), at(StageHandshake, refused)}}, false},
		{"every address, and a look-up failed", Error{Attempts: []Attempt{at(StageResolve, errServFail), at(StageConnect, late)}}, true},
		{"a look-up", Error{Attempts: []Attempt{at(StageResolve, errNotFound), at(StageResolve, slowDNS)}}, true},
		{"a look-up, but an address was refused", Error{Attempts: []Attempt{at(StageResolve, slowDNS), at(StageConnect, refused)}}, false},
		{"look-ups, in time", Error{Attempts: []Attempt{at(StageResolve, errNotFound)}}, false},
		{"nothing", Error{}, false},
	}
	for _, tt := range tests {
		var err net.Error = &tt.err
		//lint:ignore SA1019 the interface still has it
		if err.Timeout() != tt.want || err.Temporary() != tt.want {
			t.Errorf("%s: %v", tt.name, err.Timeout())
		}
	}
}

// HE-11: what one family lacks is not told where the other one's addresses failed; what went wrong is.
func TestLookUpFailuresInErrors(t *testing.T) {
	addrError := &net.AddrError{Err: "no suitable address", Addr: "host.example"}
	for _, tt := range []struct {
		ip6  error
		told bool
	}{{nil, false}, {errNotFound, false}, {addrError, false}, {errServFail, true}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.dns["ip6"], w.dns["ip4"] = reply{err: tt.ip6}, reply{addrs: []string{x4, y4}}
			_, err := w.dialTo(t.Context(), w.engine(Config{}), nil)
			if got := strings.Contains(err.Error(), "look-up of IPv6"); got != tt.told || !errors.Is(err, errRefused) {
				t.Errorf("%v: %v", tt.ip6, err)
			}
		})
	}
}

// HE-11: a look-up and an attempt that the deadline meets under way are told, too.
func TestErrorTellsWhatWasUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.dns["ip6"], w.dns["ip4"] = reply{never: true, deaf: false}, reply{addrs: []string{x4}}
		w.host[x4] = peer{drop: true}
		_, err := w.dialTo(t.Context(), w.engine(Config{Timeout: 5 * time.Second}), nil)
		want := `dial "host.example" port 443: context deadline exceeded after 5s
  192.0.2.1:443 (IPv4): connect failed after 4.95s: context deadline exceeded
  look-up of IPv6 addresses failed after 5s: context deadline exceeded`
		if err.Error() != want {
			t.Errorf("got\n%v", err)
		}
	})
}

// What the one attempt to a literal returned is found as with package net.
func TestNetErrorsPassThrough(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).AddrPort().Port()
	_ = l.Close()
	e, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = e.Dial(t.Context(), "127.0.0.1", port)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "dial" || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%v", err)
	}
	if want := fmt.Sprintf("dial 127.0.0.1:%d: 127.0.0.1:%d (IPv4): connect failed", port, port); !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}
