package alliface

import (
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/testenv"
)

// Where the namespace can't be entered, nothing is bound in another one.
func TestANamespaceThatCantBeEntered(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, everywhere(80), lo)
	w.set.where = &namespace{file}
	w.start()
	w.log.lines()
	w.source.put(lo, eth(2, "eth0", "192.0.2.1"))
	w.log.await(t, "not listening on 192.0.2.1 (eth0), will be tried again")
	w.want("after", "127.0.0.1:80", "[::1]:80")
	w.log.mu.Lock()
	defer w.log.mu.Unlock()
	if err := w.log.events[0].Err; !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.EPERM) {
		t.Errorf("the error is %v", err)
	}
}

// Without /proc the thread is taken to be where it should be.
func TestWithoutProc(t *testing.T) {
	called := false
	if err := new(namespace).do(func() { called = true }); err != nil || !called {
		t.Errorf("called %v, %v", called, err)
	}
}

// A thread that a namespace was entered on is not used for anything else.
func TestThreadsAreNotLeftInANamespace(t *testing.T) {
	ns := testenv.NewNetns(t)
	var there *namespace
	ns.Do(func() { there = thisNamespace() })
	defer there.close()
	for range 50 {
		inThere := false
		if err := there.do(func() { inThere = there.here() }); err != nil || !inThere {
			t.Fatalf("%v, %v", inThere, err)
		}
		if there.here() {
			t.Fatal("the test is in the namespace")
		}
	}
}
