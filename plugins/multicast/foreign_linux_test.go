package multicast_test

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/multicast"
	"golang.org/x/net/dns/dnsmessage"
)

// start runs a program until the test ends, and returns what it prints, errors too.
func start(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	_ = w.Close()
	if err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	t.Cleanup(func() {
		timer.Stop()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = r.Close()
	})
	return bufio.NewReader(r)
}

// awaitLine reads until a line has text in it.
func awaitLine(t *testing.T, r *bufio.Reader, text string) {
	t.Helper()
	var all strings.Builder
	for {
		line, err := r.ReadString('\n')
		all.WriteString(line)
		if strings.Contains(line, text) {
			return
		}
		if err != nil {
			t.Fatalf("no line with %q in %q", text, all.String())
		}
	}
}

// socat joins a group of either family and hears our client.
func TestSocatHearsOurs(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	for group, address := range map[string]string{
		"239.1.2.3":  "UDP4-RECV:7777,reuseaddr,ip-add-membership=239.1.2.3:s0",
		"ff02::4242": "UDP6-RECV:7777,reuseaddr,ipv6-join-group=[ff02::4242]:s0",
	} {
		t.Run(group, func(t *testing.T) {
			r, s := pair(t, 1)
			out := start(t, s.Command(socat, "-u", address, "STDOUT"))
			c := dial(t, r, "multicast:7777:%s:r0", group)
			done := make(chan struct{})
			defer close(done)
			go repeat(c, "from endpoint\n", done)
			awaitLine(t, out, "from endpoint")
		})
	}
}

// repeat writes until the peer, which may not be there yet, has heard enough.
func repeat(c *conn, text string, done <-chan struct{}) {
	for {
		if _, err := c.Write([]byte(text)); errors.Is(err, net.ErrClosed) {
			return
		}
		select {
		case <-done:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// Our server hears what socat sends, and socat gets the answer.
func TestOursHearsSocat(t *testing.T) {
	socat := testenv.Tool(t, "socat")
	for group, address := range map[string]string{
		"239.1.2.3":  "UDP4-DATAGRAM:239.1.2.3:7777,ip-multicast-if=192.0.2.2",
		"ff02::4242": "UDP6-DATAGRAM:[ff02::4242%s0]:7777",
		"ff15::4242": "UDP6-DATAGRAM:[ff15::4242]:7777,bind=[2001:db8:0::2]",
	} {
		t.Run(group, func(t *testing.T) {
			r, s := pair(t, 1)
			c := listen(t, r, "multicast:7777:%s:r0", group)
			cmd := s.Command(socat, "-t", "20", "STDIO", address)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			out := start(t, cmd)
			if _, err := fmt.Fprintln(in, "from socat"); err != nil {
				t.Fatal(err)
			}
			text, from := c.hear(t)
			if text != "from socat\n" || from.Local != netip.MustParseAddr(group) {
				t.Errorf("heard %q to %s", text, from.Local)
			}
			c.answer(t, "from endpoint\n", from)
			awaitLine(t, out, "from endpoint")
		})
	}
}

// Twisted joins IPv4 groups only, by the address of an interface.
func TestTwistedInBothDirections(t *testing.T) {
	const python = "/usr/bin/python3"
	err := exec.Command(python, "-c", "import twisted").Run()
	testenv.Need(t, err == nil, "Twisted (the package python3-twisted)")
	r, s := pair(t, 1)
	server := listen(t, r, "multicast:7777:239.1.2.3:r0")
	script, err := filepath.Abs("testdata/twisted_multicast.py")
	if err != nil {
		t.Fatal(err)
	}
	awaitLine(t, start(t, s.Command(python, script, "239.1.2.3", "192.0.2.2", "7777")), "joined")
	client := dial(t, r, "multicast:7777:239.1.2.3:r0:loop=no")
	client.say(t, "hello")
	client.wantHears(t, "re: hello")
	client.say(t, "say something")
	server.wantHears(t, "from twisted")
}

// avahi-daemon, without D-Bus, answers questions that are asked in its two groups.
func TestAvahiAnswersQuestions(t *testing.T) {
	avahi := testenv.Tool(t, "avahi-daemon")
	r, s := pair(t, 1)
	config, err := filepath.Abs("testdata/avahi.conf")
	if err != nil {
		t.Fatal(err)
	}
	// It insists on a directory for its process id, and ip netns exec has a mount namespace of its own.
	log := start(t, s.Command("sh", "-c", "mount -t tmpfs tmpfs /run && exec "+avahi+
		" --no-drop-root --no-chroot --no-rlimits --no-proc-title --file="+config))
	awaitLine(t, log, "Server startup complete")
	for group, host := range map[string]string{"224.0.0.251": "192.0.2.1", "ff02::fb": ""} {
		// RFC 6762 section 5.2: asked from port 5353, it answers to the group.
		server := listen(t, r, "multicast:5353:%s:r0:hops=255:loop=no", group)
		to := net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(group), 5353))
		from := wantAnswer(t, server, func(q []byte) error { _, err := server.WriteTo(q, to); return err })
		if from.Local != netip.MustParseAddr(group) || from.Port() != 5353 {
			t.Errorf("%s answers to %s", from, from.Local)
		}
		_ = server.Close()
		// RFC 6762 section 6.7: asked from another port, it answers to whom asked.
		client := dial(t, r, "multicast:5353:%s:r0:hops=255", group)
		from = wantAnswer(t, client, func(q []byte) error { _, err := client.Write(q); return err })
		if from.Local.IsMulticast() || host != "" && from.Local != netip.MustParseAddr(host) {
			t.Errorf("%s answers to %s", from, from.Local)
		}
	}
}

// wantAnswer asks for an address of the family that the socket is of until there is one: a responder may keep silent
// about what it has just told (RFC 6762 section 6).
func wantAnswer(t *testing.T, c *conn, send func([]byte) error) multicast.Addr {
	t.Helper()
	kind := dnsmessage.TypeAAAA
	if c.LocalAddr().(*net.UDPAddr).IP.To4() != nil {
		kind = dnsmessage.TypeA
	}
	question := dnsmessage.Question{
		Name: dnsmessage.MustNewName("responder.local."), Type: kind, Class: dnsmessage.ClassINET,
	}
	message := dnsmessage.Message{Questions: []dnsmessage.Question{question}}
	packed, err := message.Pack()
	if err != nil {
		t.Fatal(err)
	}
	for range int(patience / time.Second) {
		if err := whenReady(func() error { return send(packed) }); err != nil {
			t.Fatal(err)
		}
		if from, ok := answerTo(t, c, question); ok {
			return from
		}
	}
	t.Fatalf("no answer within %v", patience)
	return multicast.Addr{}
}

// answerTo reads for a second until there is an answer.
func answerTo(t *testing.T, c *conn, q dnsmessage.Question) (multicast.Addr, bool) {
	t.Helper()
	buf := make([]byte, 1500)
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	for {
		n, from, err := c.ReadFromAddr(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return from, false
		}
		var m dnsmessage.Message
		if err := errors.Join(err, m.Unpack(buf[:n])); err != nil {
			t.Fatalf("%s says %q: %v", from, buf[:n], err)
		}
		for _, a := range m.Answers {
			if a.Header.Name == q.Name && a.Header.Type == q.Type {
				return from, true
			}
		}
	}
}
