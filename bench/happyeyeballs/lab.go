package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// The server's addresses. Those that are dropped are its own, so that the neighbour is found and then nothing comes.
const (
	live4 = "192.0.2.2"
	port  = "443"
)

var (
	live6    = []string{"2001:db8::a1", "2001:db8::a2", "2001:db8::a3", "2001:db8::a4", "2001:db8::a5"}
	dropped6 = []string{"2001:db8::d1", "2001:db8::d2", "2001:db8::d3", "2001:db8::d4", "2001:db8::d5"}
)

// A lab is the two namespaces with the servers that run in them.
type lab struct {
	client, server string // names of the namespaces
	self           string
	running        []*exec.Cmd
}

func newLab(ctx context.Context) (*lab, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("ephe-%d", os.Getpid())
	l := &lab{client: name + "-c", server: name + "-s", self: self}
	if err := l.build(ctx); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) build(ctx context.Context) error {
	if err := l.plug(ctx); err != nil {
		return err
	}
	rules := "table inet f {\nchain input {\ntype filter hook input priority 0\nip6 daddr { " +
		strings.Join(dropped6, ", ") + " } drop\n}\n}\n"
	nft := l.in(ctx, l.server, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(rules)
	if out, err := nft.CombinedOutput(); err != nil {
		return fmt.Errorf("nft: %w\n%s", err, out)
	}
	if err := l.start(ctx, l.server, "serve"); err != nil {
		return err
	}
	return l.start(ctx, l.client, "dns")
}

// plug makes the namespaces, the cable and the addresses.
func (l *lab) plug(ctx context.Context) error {
	lines := []string{
		"netns add " + l.client,
		"netns add " + l.server,
		"-n " + l.client + " link set lo up",
		"-n " + l.client + " link add c type veth peer name s netns " + l.server,
		"-n " + l.client + " link set c up",
		"-n " + l.server + " link set s up",
		"-n " + l.client + " addr add 192.0.2.1/24 dev c",
		"-n " + l.client + " addr add 2001:db8::1/64 dev c nodad",
		"-n " + l.server + " addr add " + live4 + "/24 dev s",
	}
	for _, a := range slices.Concat(live6, dropped6) {
		lines = append(lines, "-n "+l.server+" addr add "+a+"/64 dev s nodad")
	}
	for _, line := range lines {
		if out, err := exec.CommandContext(ctx, "ip", strings.Fields(line)...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w\n%s", line, err, out)
		}
	}
	return nil
}

func (l *lab) in(ctx context.Context, namespace string, command ...string) *exec.Cmd {
	return exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", namespace}, command...)...)
}

// start runs a server and waits until it says that it is ready.
func (l *lab) start(ctx context.Context, namespace, role string) error {
	cmd := l.in(ctx, namespace, l.self, "-role", role)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	l.running = append(l.running, cmd)
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		return fmt.Errorf("%s said %q: %w", role, line, err)
	}
	return nil
}

// ready tells the lab that started this process that it serves.
func ready() error {
	_, err := io.WriteString(os.Stdout, "ready\n")
	return err
}

func (l *lab) measure(ctx context.Context, effort float64) ([]byte, error) {
	cmd := l.in(ctx, l.client, l.self, "-role", "measure", "-effort", fmt.Sprint(effort))
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

func (l *lab) close() {
	for _, cmd := range l.running {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	for _, namespace := range []string{l.client, l.server} {
		_ = exec.Command("ip", "netns", "del", namespace).Run()
	}
}
