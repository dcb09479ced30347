package main

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// TestMain makes this binary also the program epctl, and epctl-extra, which has plugins more (see extra_test.go).
func TestMain(m *testing.M) {
	pluginMain()
	testscript.Main(m, map[string]func(){
		"epctl":       main,
		"epctl-extra": func() { os.Exit(withRegistry(extra(endpoint.Default))) },
	})
}

// TestScript runs the scripts, which are the specification of the verbs by example. Beside what testscript has, they
// can start a listener and stop it. With UPDATE_SCRIPTS=1 in the environment, what they compare with is written anew.
//
//	start NAME PROGRAM ARG…     runs it until it says on stderr that it listens; $NAME and $NAME_port are its address
//	certs [-KIND] DIR NAME…     makes an authority and a certificate for the names: DIR/cert.pem, key.pem and ca.pem; the
//	                            kinds are expired, soon (to expire), self (signed), long (a chain of two), leaf (of such
//	                            a chain alone) and rsa
//	program FILE                makes a program that serves what its name says (see plugin_test.go)
//	need PROGRAM                skips the script where there is no such program
//	end NAME [SIGNAL] STATUS    waits for its end, by the signal INT or TERM where one is given; NAME.out and NAME.err
//	                            are what it has written
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(env *testscript.Env) error {
			env.Values["listeners"] = map[string]*listener{}
			env.Values["t"] = env.T()
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"start": start, "end": end, "need": need, "certs": makeCerts, "program": makeProgram},
		Condition: func(name string) (bool, error) {
			if name == "ipv6" {
				ln, err := net.Listen("tcp6", "[::1]:0")
				return err == nil && ln.Close() == nil, nil
			}
			return false, errors.New("unknown condition " + name)
		},
	})
}

func need(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: need PROGRAM")
	}
	testenv.Tool(ts.Value("t").(testing.TB), args[0])
}

// specs are the kinds of certificates that scripts can have.
func specs() map[string]certtest.Spec {
	return map[string]certtest.Spec{
		"":         {},
		"-expired": {NotAfter: time.Now().Add(-24 * time.Hour)},
		"-soon":    {NotAfter: time.Now().Add(5*24*time.Hour + time.Hour)},
		"-self":    {SelfSigned: true},
		"-long":    {Intermediate: true},
		"-leaf":    {Intermediate: true, LeafOnly: true},
		"-rsa":     {Key: certtest.RSA},
	}
}

func makeCerts(ts *testscript.TestScript, neg bool, args []string) {
	kind := ""
	if len(args) > 0 && strings.HasPrefix(args[0], "-") {
		kind, args = args[0], args[1:]
	}
	spec, ok := specs()[kind]
	if neg || len(args) < 1 || !ok {
		ts.Fatalf("usage: certs [-KIND] DIR NAME…")
	}
	tb, dir := ts.Value("t").(testing.TB), ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	authority := certtest.NewAuthority(tb)
	spec.Names = args[1:]
	cert, key := authority.Issue(spec)
	for name, text := range map[string][]byte{"cert.pem": cert, "key.pem": key, "ca.pem": authority.PEM()} {
		certtest.WriteFile(tb, filepath.Join(dir, name), text)
	}
}

// patience is for what takes no time on a machine that is not overloaded.
const patience = time.Minute

// A listener is a process that listens.
type listener struct {
	cmd      *exec.Cmd
	out, err watched
	ended    chan struct{}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME PROGRAM ARG…")
	}
	program, err := exec.LookPath(args[1])
	ts.Check(err)
	l := &listener{cmd: exec.Command(program, args[2:]...), ended: make(chan struct{})}
	l.cmd.Stdout, l.cmd.Stderr, l.cmd.Dir = &l.out, &l.err, ts.Getenv("WORK")
	ts.Check(l.cmd.Start())
	ts.Defer(func() { _ = l.cmd.Process.Kill() })
	go func() {
		defer close(l.ended)
		_ = l.cmd.Wait() // the status is looked at
	}()
	text := l.err.waits(ts.Value("t").(testing.TB), "listening on ", "\n")
	address := strings.TrimSpace(text)
	ts.Setenv(args[0], address)
	if _, port, err := net.SplitHostPort(address); err == nil {
		ts.Setenv(args[0]+"_port", port)
	}
	ts.Value("listeners").(map[string]*listener)[args[0]] = l
}

func end(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	if neg || len(args) < 2 {
		ts.Fatalf("usage: end NAME [SIGNAL] STATUS")
	}
	l, ok := ts.Value("listeners").(map[string]*listener)[args[0]]
	if !ok {
		ts.Fatalf("%s is not started", args[0])
	}
	if len(args) == 3 {
		ts.Check(l.cmd.Process.Signal(signals[args[1]]))
	}
	select {
	case <-l.ended:
	case <-time.After(patience):
		ts.Fatalf("%s does not end", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), []byte(l.out.String()), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), []byte(l.err.String()), 0o600))
	if status := strconv.Itoa(l.cmd.ProcessState.ExitCode()); status != args[len(args)-1] {
		ts.Fatalf("%s ended with status %s\n%s", args[0], status, l.err.String())
	}
}
