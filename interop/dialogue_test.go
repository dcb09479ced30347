//go:build linux

package interop

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// A dialogue is one protocol that a peer has, and what comes in it after TLS.
type dialogue struct {
	proto, port string
	after       func(*testing.T, net.Conn)
}

// speaks has our client begin TLS with the peer in each of the protocols.
func (p *peer) speaks(t *testing.T, dialogues ...dialogue) {
	t.Helper()
	_, _, stranger := certtest.WritePair(t, "localhost")
	for _, d := range dialogues {
		t.Run(d.proto, func(t *testing.T) {
			t.Run("openssl can do it", func(t *testing.T) { p.openssl(t, d) })
			t.Run("and so can we", func(t *testing.T) { d.after(t, p.dialTLS(t, d)) })
			t.Run("not for another name", func(t *testing.T) { // ST-17
				var wrong x509.HostnameError
				if err := refused(t, p.client(d, "other.test", p.ca)); !errors.As(err, &wrong) {
					t.Errorf("the error is %v, wanted one about the name", err)
				}
			})
			t.Run("not under another authority", func(t *testing.T) {
				var unknown x509.UnknownAuthorityError
				if err := refused(t, p.client(d, "localhost", stranger)); !errors.As(err, &unknown) {
					t.Errorf("the error is %v, wanted one about the authority", err)
				}
			})
		})
	}
}

// client is the string of our client.
func (p *peer) client(d dialogue, host, roots string) string {
	p.t.Helper()
	return fmt.Sprintf("starttls:endpoint={tcp:host=127.0.0.1:port=%d}:proto=%s:host=%s:trustRoots=[%s]", p.port(d.port), d.proto, host, roots)
}

// dialTLS dials and looks whether what comes is as safe as it can be.
func (p *peer) dialTLS(t *testing.T, d dialogue) net.Conn {
	t.Helper()
	c := dial(t, p.client(d, "localhost", p.ca))
	_ = c.SetDeadline(time.Now().Add(patience))
	encrypted, ok := c.(*tls.Conn)
	if !ok {
		t.Fatalf("Dial gives a %T", c)
	}
	state := encrypted.ConnectionState()
	if !state.HandshakeComplete || state.Version != tls.VersionTLS13 || state.ServerName != "localhost" {
		t.Errorf("handshake complete %v, version %s, server name %q", state.HandshakeComplete, tls.VersionName(state.Version), state.ServerName)
	}
	if len(state.VerifiedChains) != 1 {
		t.Fatalf("%d chains are verified", len(state.VerifiedChains))
	}
	chain := state.VerifiedChains[0]
	if root := chain[len(chain)-1]; !root.Equal(p.root) {
		t.Errorf("the chain ends at %v", root.Subject)
	}
	return c
}

// refused dials what must not come about.
func refused(t *testing.T, s string) error {
	t.Helper()
	c, err := endpoint.Dial(testContext(t), s)
	if err == nil {
		c.Close()
		t.Fatal("there is a connection")
	}
	return err
}

// openssl shows that the peer is what it should be, before anything is said about us.
func (p *peer) openssl(t *testing.T, d dialogue) {
	t.Helper()
	out := output(t, exec.CommandContext(testContext(t), testenv.Tool(t, "openssl"), "s_client", "-starttls", d.proto,
		"-connect", p.address(d.port), "-CAfile", p.ca, "-verify_return_error", "-verify_hostname", "localhost",
		"-servername", "localhost", "-xmpphost", "localhost", "-brief"))
	for _, want := range []string{"Verification: OK", "Protocol version: TLSv1.3"} {
		if !strings.Contains(out, want) {
			t.Fatalf("no %q in\n%s", want, out)
		}
	}
}

// lines is a conversation: a step that begins with "> " is a line to say, one with "< " is a regular expression for the
// beginning of a line, and lines are read until one matches.
func lines(steps ...string) func(*testing.T, net.Conn) {
	return func(t *testing.T, c net.Conn) {
		t.Helper()
		in := bufio.NewReader(c)
		for _, step := range steps {
			if line, say := strings.CutPrefix(step, "> "); say {
				send(t, c, line+"\r\n")
				continue
			}
			want := regexp.MustCompile("^(?:" + strings.TrimPrefix(step, "< ") + ")")
			for {
				line := strings.TrimSuffix(readLine(t, in), "\r")
				if want.MatchString(line) {
					break
				}
				t.Logf("passed over %q", line)
			}
		}
	}
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// until reads until the mark has come, and returns all that was read.
func until(t *testing.T, c net.Conn, mark string) string {
	t.Helper()
	var all []byte
	for buffer := make([]byte, 4096); !bytes.Contains(all, []byte(mark)); {
		n, err := c.Read(buffer)
		all = append(all, buffer[:n]...)
		if err != nil {
			t.Fatalf("%v before %q came, after %q", err, mark, all)
		}
	}
	return string(all)
}
