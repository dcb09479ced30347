// Package python_test runs the plugins of the program in Python as those of any other program.
package python_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

// patience bounds what takes a moment: an interpreter that starts on a busy machine is slow.
const patience = time.Minute

// program builds the program and opens it.
func program(t *testing.T) *external.Program {
	t.Helper()
	const python = "/usr/bin/python3"
	testenv.Tool(t, "protoc")
	err := exec.Command(python, "-I", "-c", "import grpc, cryptography, google.protobuf").Run()
	testenv.Need(t, err == nil, "gRPC for Python (the packages python3-grpcio, python3-protobuf and python3-cryptography)")
	path := filepath.Join(t.TempDir(), "endpoint-plugin-python")
	if out, err := exec.Command("./build", path).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	p, err := external.Open(path, external.AllowUnlocked(), external.StartTimeout(patience), external.Stderr(t.Output()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func registryOf(t *testing.T, p *external.Program) *registry.Registry {
	t.Helper()
	r, err := registry.New(append(p.Plugins(), tcp4.Plugin)...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// The contract is enough for a program in another language to be as good as one in Go.
func TestConformance(t *testing.T) {
	p := program(t)
	examples := append(readmeExamples(t),
		"pytcp:0:127.0.0.1:5 # server",
		"pytcp:host=[2001:db8::1]:port=http # client",
		"pytcp:127.0.0.1:port=http-or-so # error: is not the name of a well-known service",
		"rot13:rot13:pytcp:0 # server",
	)
	for _, plugin := range p.Plugins() {
		t.Run(plugin.Name, func(t *testing.T) {
			beside := []registry.Plugin{tcp4.Plugin}
			for _, other := range p.Plugins() {
				if other.Name != plugin.Name {
					beside = append(beside, other)
				}
			}
			registrytest.Run(t, plugin, registrytest.Examples(of(plugin, examples)...), registrytest.Beside(beside...),
				registrytest.Without("readme", "that of the example tells of the program"),
				registrytest.Without("purity", "the program is asked, over a socket"))
		})
	}
}

// readmeExamples are the strings that the README shows.
func readmeExamples(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```endpoint\n")
	block, _, ok := strings.Cut(rest, "\n```")
	if !ok {
		t.Fatal("the README shows no examples")
	}
	return strings.Split(block, "\n")
}

// of returns the examples of a plugin.
func of(p registry.Plugin, examples []string) []string {
	return slices.DeleteFunc(slices.Clone(examples), func(e string) bool { return !strings.HasPrefix(e, p.Name+":") })
}

// What the plugin made is what the application holds.
func TestATCPConnectionIsTheSocketThatPythonMade(t *testing.T) {
	r := registryOf(t, program(t))
	server, err := r.NewServer("pytcp:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := server.Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if _, ok := ln.(*net.TCPListener); !ok {
		t.Errorf("the listener is a %T", ln)
	}
	go echo(ln)
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	if got, conn := say(t, r, "pytcp:127.0.0.1:"+port, "Hello"); got != "Hello" {
		t.Errorf("the answer is %q", got)
	} else if _, ok := conn.(*net.TCPConn); !ok {
		t.Errorf("the connection is a %T", conn)
	}
	// Over an inner endpoint of the application, what goes out is turned, and what comes back again.
	if got, _ := say(t, r, "rot13:tcp4:127.0.0.1:"+port, "Hello"); got != "Hello" {
		t.Errorf("the turned answer is %q", got)
	}
}

// A server of rot13 hears what its clients turn.
func TestRot13TurnsWhatPasses(t *testing.T) {
	r := registryOf(t, program(t))
	server, err := r.NewServer("rot13:pytcp:0")
	if err != nil {
		t.Fatal(err)
	}
	ln, err := server.Listen(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	heard := make(chan string, 1)
	go func() {
		conn, err := ln.Accept()
		if err != nil {
			heard <- err.Error()
			return
		}
		defer conn.Close()
		all, _ := io.ReadAll(conn)
		heard <- string(all)
	}()
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	say(t, r, "tcp4:127.0.0.1:"+port, "Uryyb, jbeyq")
	if got := <-heard; got != "Hello, world" {
		t.Errorf("the server hears %q", got)
	}
}

// A refused connection is in the application what it is in the plugin.
func TestErrorsKeepTheirNumber(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	ln.Close()
	client, err := registryOf(t, program(t)).NewClient("pytcp:127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Dial(within(t))
	var op *net.OpError
	if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Addr.String() != "127.0.0.1:"+port {
		t.Errorf("the error is %v", err)
	}
}

// The program ends when the application wants it to, and at once.
func TestTheProgramEndsWithItsUse(t *testing.T) {
	p := program(t)
	pid := p.PID()
	if pid == 0 {
		t.Fatal("it does not run")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return // known not to be there
	}
	if err := process.Signal(syscall.Signal(0)); !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("process %d is there still: %v", pid, err)
	}
}

// Run by hand, the program says what it is.
func TestRunByHandItSaysWhatItIs(t *testing.T) {
	p := program(t)
	out, err := exec.Command(p.Path()).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("it ends with %v", err)
	}
	for _, want := range []string{"pytcp", "rot13", "epctl plugins install " + p.Path()} {
		if !strings.Contains(string(out), want) {
			t.Errorf("it does not say %q:\n%s", want, out)
		}
	}
}

// echo gives back what it gets, to one connection after the other.
func echo(ln net.Listener) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		_, _ = io.Copy(conn, conn)
		conn.Close()
	}
}

// say connects, writes, tells that no more comes, and returns all that comes back.
func say(t *testing.T, r *registry.Registry, description, text string) (string, net.Conn) {
	t.Helper()
	client, err := r.NewClient(description)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(all), conn
}
