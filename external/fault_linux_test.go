package external_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// Faults have the places, the words and the fixes that they have in one program.
func TestFaultsOfThePluginGetTheirCarets(t *testing.T) {
	inside, err := registry.New(programs()["many"]...)
	if err != nil {
		t.Fatal(err)
	}
	outside := registryOf(t, open(t, "many"))
	for _, s := range []string{
		"faulty:colour=red:shade=dark",
		"faulty:colour=both:shade=dark",
		"faulty:colour=both",
		"faulty:colour=tcp",
		"faulty:color=red",
		"xor:faulty:colour=red",
		"xor:tcp4:[::1]:80",
		"xor:endpoint={tcp4:127.0.0.1:80}:mask=256",
	} {
		_, _, want := inside.Build(s, registry.RoleClient)
		_, _, got := outside.Build(s, registry.RoleClient)
		if want == nil || got == nil {
			t.Errorf("%s: inside %v, outside %v", s, want, got)
			continue
		}
		wants, gots := grammar.All(want), grammar.All(got)
		if len(wants) != len(gots) {
			t.Errorf("%s: inside %v, outside %v", s, want, got)
			continue
		}
		for i := range wants {
			if wants[i].Caret() != gots[i].Caret() || wants[i].Fix != gots[i].Fix || len(wants[i].Also) != len(gots[i].Also) {
				t.Errorf("%s: inside\n%s\noutside\n%s", s, wants[i].Caret(), gots[i].Caret())
			}
		}
	}
}

// PL-13
func TestAPanicOfAPluginIsAnErrorThatNamesIt(t *testing.T) {
	p := open(t, "many")
	r := registryOf(t, p)
	_, err := r.NewClient("faulty:colour=panic")
	if err == nil || !strings.Contains(err.Error(), "faulty: panicked: no such colour") {
		t.Errorf("building: %v", err)
	}
	c, err := r.NewClient("faulty:shade=panic")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = c.Dial(within(t)); err == nil || err.Error() != "dial faulty: panicked: no such shade" {
		t.Errorf("dialing: %v", err)
	}
	if p.PID() == 0 {
		t.Error("the program is gone")
	}
}

func TestErrorsAreWhatTheyAreInOneProgram(t *testing.T) {
	r := registryOf(t, open(t, "many"))
	refused := func() string {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		return "tcp4:127.0.0.1:" + port
	}
	dial := func(s string) error {
		c, err := r.NewClient(s)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := c.Dial(within(t))
		if err == nil {
			conn.Close()
			t.Fatalf("%s was dialed", s)
		}
		return err
	}
	err := dial(refused())
	var op *net.OpError
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Op != "dial" || op.Addr == nil {
		t.Errorf("refused: %#v", err)
	}
	var dns *net.DNSError
	if err := dial("faulty:shade=dns"); !errors.As(err, &dns) || !dns.IsNotFound || dns.Name != "nowhere.invalid" {
		t.Errorf("no such host: %#v", err)
	}
	if err := dial("xor:" + refused()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refused, through the application: %#v", err)
	}
	if err := dial("faulty:shade=\\[31mred"); strings.ContainsRune(err.Error(), 0x1b) {
		t.Errorf("not escaped: %q", err)
	}
	resolver, err := r.NewResolver("faulty")
	if err != nil {
		t.Fatal(err)
	}
	_, err = resolver.LookupNetIP(within(t), "ip", "nowhere.invalid")
	if dns, ok := err.(*net.DNSError); !ok || !dns.IsNotFound {
		t.Errorf("look-up: %#v", err)
	}
}

func TestADialEndsWithItsContext(t *testing.T) {
	r := registryOf(t, open(t, "many"), stuck)
	for _, s := range []string{"xor:stuck", "xor:xor:stuck"} {
		c, err := r.NewClient(s)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(within(t))
		ctx = trace.With(ctx, func(e trace.Event) {
			if e.Kind == trace.HandshakeStart && e.Layer == "stuck" {
				cancel(nil)
			}
		})
		if _, err := c.Dial(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", s, err)
		}
	}
	// Each of the inner dials has ended, or the leak is found when all tests are over.
}

// stuck dials until its context is done.
var stuck = registry.Plugin{
	Name: "stuck", Doc: "Never connects.",
	Client: registry.For(func(o struct{}) (registry.Client, error) { return stuckClient{}, nil }),
}

type stuckClient struct{}

func (stuckClient) Dial(ctx context.Context) (net.Conn, error) {
	span := trace.StartHandshake(ctx, "stuck", "", nil)
	<-ctx.Done()
	span.End(nil, ctx.Err())
	return nil, ctx.Err()
}

func TestTracersHearOfWhatHappensOnBothSides(t *testing.T) {
	ln := echo(t)
	r := registryOf(t, open(t, "many"))
	c, err := r.NewClient("xor:" + clientOf("tcp4", ln))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var kinds []string
	ids := map[uint64]int{}
	ctx := trace.With(within(t), func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		kinds = append(kinds, string(e.Kind)+" "+e.Layer)
		ids[e.ID]++
	})
	conn, err := c.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	mu.Lock()
	defer mu.Unlock()
	// Two streams bring them: what happens here need not be told after what has happened there before.
	slices.Sort(kinds)
	want := "attempt-done tcp4, attempt-start tcp4, built xor, handshake-done xor, handshake-start xor"
	if got := strings.Join(kinds, ", "); got != want {
		t.Errorf("told: %s\nwant: %s", got, want)
	}
	for id, n := range ids {
		if id != 0 && n != 2 {
			t.Errorf("the id %d came %d times", id, n)
		}
	}
}

// PL-16: the plugin's environment is not that of the application, and its files neither; nothing of it is in what others
// can see of a process.
func TestSecretsAreReadWhereTheyAreUsedAndSentByRPC(t *testing.T) {
	t.Setenv("EXTERNAL_TEST_SECRET", "first")
	p := open(t, "many")
	r := registryOf(t, p)
	c, err := r.NewClient("keeper:[env:EXTERNAL_TEST_SECRET]")
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"first", "second", "second"} {
		t.Setenv("EXTERNAL_TEST_SECRET", secret)
		conn, err := c.Dial(within(t))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(conn)
		conn.Close()
		if want := strings.ToUpper(secret); err != nil || string(got) != want {
			t.Errorf("got %q, %v; want %q", got, err, want)
		}
	}
	os.Unsetenv("EXTERNAL_TEST_SECRET")
	if _, err := c.Dial(within(t)); err == nil || !strings.Contains(err.Error(), "not set") {
		t.Errorf("a secret that is not there: %v", err)
	}
}
