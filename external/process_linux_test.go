package external_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/registry"
)

// nest starts a process of its own when it dials, and tells its number.
var nest = registry.Plugin{
	Name: "nest", Doc: "Has offspring.",
	Client: registry.For(func(o struct{}) (registry.Client, error) { return nestClient{}, nil }),
}

type nestClient struct{}

func (nestClient) Dial(context.Context) (net.Conn, error) {
	child := exec.Command("/bin/sleep", "1000") // a plugin has no PATH
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	if err := child.Start(); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("offspring %d", child.Process.Pid)
}

// applicationVariable says that this program is to be an application that uses the plugin's program at the path.
const applicationVariable = "EXTERNAL_TEST_APPLICATION"

// application uses the plugin nest and waits to be killed.
func application(path string) {
	p, err := external.Open(path, external.AllowUnlocked())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(p.PID(), offspring(p))
	time.Sleep(time.Hour)
}

// offspring is the number of a process that the program at p has started.
func offspring(p *external.Program) int {
	r, err := registry.New(p.Plugins()...)
	if err != nil {
		return 0
	}
	c, err := r.NewClient("nest")
	if err != nil {
		return 0
	}
	_, err = c.Dial(context.Background())
	_, number, _ := strings.Cut(err.Error(), "offspring ")
	pid, _ := strconv.Atoi(number)
	return pid
}

// PL-06
func TestNothingOutlivesTheApplication(t *testing.T) {
	for _, frozen := range []bool{false, true} {
		cmd := exec.Command(executable(t))
		cmd.Env = append(os.Environ(), applicationVariable+"="+install(t, "nest"))
		out, err := cmd.StdoutPipe()
		check(t, err)
		check(t, cmd.Start())
		line, _ := bufio.NewReader(out).ReadString('\n')
		var plugin, child int
		if n, _ := fmt.Sscan(line, &plugin, &child); n != 2 || child == 0 {
			t.Fatalf("the application says %q", line)
		}
		dir := socketDirOf(t, plugin)
		if frozen {
			check(t, unix.Kill(plugin, unix.SIGSTOP))
		}
		check(t, cmd.Process.Kill())
		_ = cmd.Wait()
		await(t, func() bool { return ended(plugin) && ended(child) }, "the plugin %d or its child %d lives on", plugin, child)
		if _, err := os.Stat(dir); !frozen && !errors.Is(err, os.ErrNotExist) {
			t.Errorf("its socket is left in %s: %v", dir, err)
		}
	}
}

// PL-06, PL-07: Close ends all that the program has started, and is not held up by what holds the program's pipes.
func TestCloseEndsTheWholeGroup(t *testing.T) {
	p, err := external.Open(install(t, "nest"), external.AllowUnlocked())
	check(t, err)
	plugin, child := p.PID(), offspring(p)
	if child == 0 || ended(child) {
		t.Fatal("there is no offspring")
	}
	check(t, p.Close())
	await(t, func() bool { return ended(plugin) && ended(child) }, "the plugin %d or its child %d lives on", plugin, child)
}

// PL-06: what a plugin has started goes with it also where the plugin alone is killed.
func TestACrashEndsTheWholeGroup(t *testing.T) {
	p := open(t, "nest")
	child := offspring(p)
	if child == 0 || ended(child) {
		t.Fatal("there is no offspring")
	}
	kill(t, p)
	await(t, func() bool { return ended(child) }, "the child %d lives on", child)
}

// ended reports whether a process has: one that nobody has waited for counts.
func ended(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, state, _ := bytes.Cut(text, []byte(") "))
	return err != nil || len(state) == 0 || state[0] == 'Z' || state[0] == 'X'
}

func await(t testing.TB, condition func() bool, format string, args ...any) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf(format, args...)
		}
	}
}

func executable(t testing.TB) string {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	return self
}

// socketDirOf is the directory of a plugin's socket.
func socketDirOf(t testing.TB, pid int) string {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	check(t, err)
	for _, v := range strings.Split(string(text), "\x00") {
		if dir, ok := strings.CutPrefix(v, "PLUGIN_UNIX_SOCKET_DIR="); ok {
			return dir
		}
	}
	t.Fatal("there is no directory for sockets")
	return ""
}

// PL-04, also where the application has no file mode mask.
func TestNobodyElseCanConnectToThePlugin(t *testing.T) {
	path := install(t, "tcp")
	mask := syscall.Umask(0)
	defer syscall.Umask(mask)
	p, err := external.Open(path, external.AllowUnlocked())
	check(t, err)
	defer p.Close()
	if now := syscall.Umask(0); now != 0 {
		t.Errorf("the application's mask is %03o", now)
	}
	sockets, err := filepath.Glob(filepath.Join(socketDirOf(t, p.PID()), "*"))
	if err != nil || len(sockets) != 1 {
		t.Fatal(sockets, err)
	}
	for path, want := range map[string]os.FileMode{sockets[0]: 0o700, filepath.Dir(sockets[0]): 0o700} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	// Who can connect has no certificate.
	conn, err := tls.Dial("unix", sockets[0], &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	check(t, err)
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	// In TLS 1.3 the server's refusal comes after what the client takes for the end of the handshake.
	if _, err = conn.Read(make([]byte, 100)); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without a certificate: %v", err)
	}
	// Another user can't even connect.
	testenv.Root(t)
	cmd := exec.Command(testenv.Tool(t, "socat"), "-u", "/dev/null", "UNIX-CONNECT:"+sockets[0])
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 12345, Gid: 12345}}
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "Permission denied") {
		t.Errorf("another user: %v: %s", err, out)
	}
}

// PL-03: what is executed is what was checked, whatever stands at the path meanwhile.
func TestASwapBetweenCheckAndStartIsNotExecuted(t *testing.T) {
	path := install(t, "tcp")
	check(t, external.Lock(path))
	dir := filepath.Dir(path)
	good, evil, ran := filepath.Join(dir, "good"), filepath.Join(dir, "evil"), filepath.Join(dir, "ran")
	check(t, os.Link(path, good))
	check(t, os.WriteFile(evil, []byte("#!/bin/sh\ntouch "+ran+"\n"), 0o755))
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			next := filepath.Join(dir, "next")
			if os.Link([]string{good, evil}[i%2], next) == nil {
				_ = os.Rename(next, path)
				_ = os.Remove(next) // a rename to another name of the same file does nothing
			}
		}
	})
	started, refused := 0, 0
	for i := 0; i < 200 && (started < 3 || refused < 3); i++ {
		p, err := external.Open(path)
		check(t, err)
		r, err := registry.New(p.Plugins()...)
		check(t, err)
		var sum *external.ChecksumError
		switch _, err := r.NewClient("tcp4:127.0.0.1:80"); {
		case err == nil:
			started++
		case errors.As(err, &sum):
			refused++
		default:
			t.Error(err)
		}
		p.Close()
	}
	close(stop)
	swapping.Wait()
	if started == 0 || refused == 0 {
		t.Errorf("it was started %d times and refused %d times", started, refused)
	}
	if _, err := os.Stat(ran); err == nil {
		t.Error("the other program was executed")
	}
}
