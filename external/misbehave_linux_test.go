package external_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// PL-12: whatever a plugin says or sends, a call comes back with an error that can be shown, and nothing is left open.
func TestACallSurvivesWhateverAPluginDoes(t *testing.T) {
	const broken = "the plugin's program is gone"
	for how, want := range map[string]string{
		"crash":        broken,
		"silent":       "EOF",
		"empty":        "EOF",
		"noresult":     "something else than what it was asked for",
		"wrongresult":  "something else than what it was asked for",
		"addresses":    "something else than what it was asked for",
		"events":       "nothing but events",
		"kinds":        "told",
		"hugemessage":  "the plugin breaks the rules",
		"escapes":      `\x1b[31mred\u202e\x00`,
		"file":         "a descriptor that is of no use",
		"two":          broken,
		"many":         broken,
		"again":        "", // one of several errors
		"unasked":      "", // the line may be closed already, or not
		"shortmessage": "",
		"liar":         "can't be an address",
		"wrongtype":    "that is not a stream",
		"listening":    "that is not connected",
		"transfer":     "something else than what it was asked for",
	} {
		t.Run(how, func(t *testing.T) {
			r := registryOf(t, open(t, "hostile"))
			c, err := r.NewClient("bad:" + how)
			if err != nil {
				t.Fatal(err)
			}
			before := descriptors(t)
			var events int
			ctx := trace.With(within(t), func(e trace.Event) {
				events++
				if strings.ContainsAny(e.Detail, "\x1b") || len(e.Detail) > 1100 {
					t.Errorf("an event says %q", e.Detail)
				}
			})
			conn, err := c.Dial(ctx)
			if err == nil {
				conn.Close()
				t.Fatal("it was dialed")
			}
			if !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\x1b\x00\u202e") || len(err.Error()) > 1300 {
				t.Errorf("%q; want it to say %q", err, want)
			}
			if want == broken && !errors.Is(err, external.ErrPluginGone) {
				t.Errorf("it is no ErrPluginGone: %v", err)
			}
			if after := descriptors(t); after > before {
				t.Errorf("there were %d descriptors, there are %d", before, after)
			}
		})
	}
}

// descriptors counts those of this process.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/dev/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestAListenerMustBeOne(t *testing.T) {
	r := registryOf(t, open(t, "hostile"))
	for how, want := range map[string]string{
		"connected": "a descriptor that does not listen",
		"file":      "a descriptor that does not listen",
		"transfer":  "something else",
	} {
		s, err := r.NewServer("bad:" + how)
		if err != nil {
			t.Fatal(err)
		}
		if ln, err := s.Listen(within(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", how, ln, err)
		}
	}
	resolver, err := r.NewResolver("bad:addresses")
	if err != nil {
		t.Fatal(err)
	}
	if addrs, err := resolver.LookupNetIP(within(t), "ip", "x"); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("addresses: %v, %q", addrs, err)
	}
}

// PL-12
func TestFaultsOfAHostilePluginAreHarmless(t *testing.T) {
	r := registryOf(t, open(t, "hostile"))
	for _, how := range []string{"buildlie", "buildflood", "buildhuge"} {
		_, err := r.NewClient("bad:" + how)
		if err == nil || strings.ContainsAny(err.Error(), "\x1b\x00") || len(err.Error()) > 4<<10 {
			t.Errorf("%s: %q", how, err)
		}
	}
}

// PL-12: a program that does not go on is given up with the context, also where it is stopped.
func TestACallOfAPluginThatHangsEndsWithItsContext(t *testing.T) {
	r := registryOf(t, open(t, "hostile"))
	for _, how := range []string{"hang", "stop"} {
		c, err := r.NewClient("bad:" + how)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(within(t), 50*time.Millisecond)
		if _, err := c.Dial(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", how, err)
		}
		cancel()
	}
	// PL-07: closing it takes its time, and ends.
}

// PL-10
func TestACrashEndsWhatIsUnderWay(t *testing.T) {
	t.Run("accept", func(t *testing.T) {
		r := registryOf(t, open(t, "hostile"))
		s, err := r.NewServer("bad:acceptcrash")
		if err != nil {
			t.Fatal(err)
		}
		ln, err := s.Listen(within(t))
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, err = ln.Accept()
		if !errors.Is(err, external.ErrPluginGone) {
			t.Errorf("Accept: %v", err)
		}
		// A loop that goes on after errors must not do so for ever.
		if _, err = ln.Accept(); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Accept again: %v", err)
		}
	})
	t.Run("read", func(t *testing.T) {
		p := open(t, "hostile")
		r := registryOf(t, p)
		conn := dial(t, r, "bad:relayfor3")
		b := make([]byte, 3)
		if _, err := io.ReadFull(conn, b); err != nil || string(b) != "abc" {
			t.Fatalf("%q, %v", b, err)
		}
		kill(t, p)
		// It must not look like an end.
		if n, err := conn.Read(b); n != 0 || !errors.Is(err, external.ErrPluginGone) || err == io.EOF {
			t.Errorf("Read: %d, %v", n, err)
		}
		if _, err := conn.Write(b); err == nil {
			t.Error("Write: no error")
		}
	})
	t.Run("wrapper", func(t *testing.T) {
		p := open(t, "many")
		r := registryOf(t, p)
		conn := dial(t, r, "xor:"+clientOf("tcp4", echo(t)))
		kill(t, p)
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, external.ErrPluginGone) {
			t.Errorf("Read: %v", err)
		}
	})
}

// A connection that is a socket lives on without the program, and so does a listener.
func TestSocketsOutliveTheProgram(t *testing.T) {
	p := open(t, "many")
	r := registryOf(t, p)
	conn := dial(t, r, clientOf("tcp4", echo(t)))
	s, err := r.NewServer("tcp4:0:interface=127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := s.Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	kill(t, p)
	if _, err := io.WriteString(conn, "still here"); err != nil {
		t.Error(err)
	}
	b := make([]byte, 10)
	if _, err := io.ReadFull(conn, b); err != nil || string(b) != "still here" {
		t.Errorf("%q, %v", b, err)
	}
	peer, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	accepted, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	accepted.Close()
}

func dial(t testing.TB, r *registry.Registry, s string) net.Conn {
	t.Helper()
	c, err := r.NewClient(s)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := c.Dial(within(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	return conn
}

// kill kills a program, and waits until that is noticed.
func kill(t testing.TB, p *external.Program) {
	t.Helper()
	process, err := os.FindProcess(p.PID())
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Kill(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); p.PID() == process.Pid; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody notices that the program is gone")
		}
	}
}
