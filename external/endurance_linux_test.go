package external_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
)

// numberOr is the number in a variable of the environment, for tests that are as good as they are long.
func numberOr(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return usual
}

// PL-14: EXTERNAL_TEST_CONNECTIONS=10000 is the number that is promised.
func TestThousandsOfConnectionsLeaveNothing(t *testing.T) {
	connections := numberOr("EXTERNAL_TEST_CONNECTIONS", 1000)
	r := registryOf(t, open(t, "many"))
	for _, s := range []string{clientOf("tcp4", echo(t)), "xor:" + clientOf("tcp4", echo(t))} {
		c, err := r.NewClient(s)
		check(t, err)
		use := func() {
			conn, err := c.Dial(within(t))
			if err != nil {
				t.Error(err)
				return
			}
			_ = conn.SetDeadline(time.Now().Add(patience))
			b := []byte("x")
			if _, err := conn.Write(b); err != nil {
				t.Error(err)
			}
			if _, err := conn.Read(b); err != nil || b[0] != 'x' {
				t.Errorf("%q, %v", b, err)
			}
			conn.Close()
		}
		use()
		files, goroutines := descriptors(t), runtime.NumGoroutine()
		const atOnce = 8
		var users sync.WaitGroup
		for range atOnce {
			users.Go(func() {
				for range connections / atOnce {
					use()
				}
			})
		}
		users.Wait()
		await(t, func() bool { return descriptors(t) <= files+2 && runtime.NumGoroutine() <= goroutines+4 },
			"%s: there were %d descriptors and %d goroutines", s, files, goroutines)
	}
}

// The program can be started and ended any number of times: EXTERNAL_TEST_CYCLES=1000 is the number that is promised.
func TestStartsAndStopsLeaveNothing(t *testing.T) {
	path := install(t, "tcp")
	check(t, external.Lock(path))
	cycles := numberOr("EXTERNAL_TEST_CYCLES", 10)
	var files, goroutines int
	for i := range cycles {
		p, err := external.Open(path)
		check(t, err)
		r, err := registry.New(p.Plugins()...)
		check(t, err)
		_, err = r.NewClient("tcp4:127.0.0.1:80")
		check(t, err)
		p.Close()
		if i == 0 {
			files, goroutines = descriptors(t), runtime.NumGoroutine()
		}
	}
	await(t, func() bool { return descriptors(t) <= files && runtime.NumGoroutine() <= goroutines+2 },
		"there were %d descriptors and %d goroutines", files, goroutines)
}

// PL-15
func TestRunByHandAProgramSaysWhatItIs(t *testing.T) {
	path := install(t, "many")
	out, err := exec.Command(path).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	for _, want := range []string{"is no program to run by hand", "xor          Turns each byte around.", "epctl plugins install " + path, "epctl doc tcp4"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it says\n%s\nand not %q", out, want)
		}
	}
}
