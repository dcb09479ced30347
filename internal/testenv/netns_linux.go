package testenv

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

var netnsCount atomic.Uint32

// A Netns is a network namespace of the test's own, gone when the test ends.
type Netns struct {
	Name string // as in ip netns
	t    testing.TB
}

// NewNetns makes a network namespace whose lo is up. It needs root and iproute2.
func NewNetns(t testing.TB) *Netns {
	t.Helper()
	Root(t)
	Tool(t, "ip")
	ns := &Netns{Name: fmt.Sprintf("ept-%d-%d", os.Getpid(), netnsCount.Add(1)), t: t}
	run(t, "ip", "netns", "add", ns.Name)
	t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns.Name).Run() })
	ns.IP("link set lo up")
	return ns
}

// IP runs ip with the words of args in the namespace and returns its output; a failure ends the test.
func (ns *Netns) IP(args string) string {
	ns.t.Helper()
	return run(ns.t, "ip", append([]string{"-n", ns.Name}, strings.Fields(args)...)...)
}

// Command is exec.Command in the namespace.
func (ns *Netns) Command(name string, args ...string) *exec.Cmd {
	return exec.Command("ip", append([]string{"netns", "exec", ns.Name, name}, args...)...)
}

// Veth joins ns and peer by a veth pair with the given interface names, both up, with IPv6 addresses usable at once
// (no duplicate address detection).
func (ns *Netns) Veth(name string, peer *Netns, peerName string) {
	ns.t.Helper()
	ns.IP(fmt.Sprintf("link add %s type veth peer name %s netns %s", name, peerName, peer.Name))
	for _, end := range []struct {
		ns   *Netns
		name string
	}{{ns, name}, {peer, peerName}} {
		run(ns.t, "ip", "netns", "exec", end.ns.Name, "sysctl", "-qw", "net.ipv6.conf."+end.name+".accept_dad=0")
		end.ns.IP("link set " + end.name + " up")
	}
}

// Do runs f on a thread that is in the namespace; sockets that f opens stay there, also when used later from other
// goroutines. Goroutines that f starts are not in the namespace, and f must not end the test.
func (ns *Netns) Do(f func()) {
	ns.t.Helper()
	done := make(chan error)
	go func() {
		err := errors.New("f did not return")
		defer func() { done <- err }()
		// The thread is never unlocked, so the runtime ends it with the goroutine instead of reusing it.
		runtime.LockOSThread()
		if enter := ns.enter(); enter != nil {
			err = enter
			return
		}
		f()
		err = nil
	}()
	if err := <-done; err != nil {
		ns.t.Fatalf("in namespace %s: %v", ns.Name, err)
	}
}

func (ns *Netns) enter() error {
	target, err := os.Open("/var/run/netns/" + ns.Name)
	if err != nil {
		return err
	}
	defer target.Close()
	return unix.Setns(int(target.Fd()), unix.CLONE_NEWNET)
}

// run returns what a program says on its standard output: ip warns on the other while namespaces come and go.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, complaints.String())
	}
	return string(out)
}
