package starttls_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/starttls"
)

const patience = 10 * time.Second

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// A service is a listener of ours, and what its clients need to know.
type service struct {
	net.Listener
	proto, roots string
}

func serve(t *testing.T, proto, options string) service {
	t.Helper()
	cert, key, ca := certtest.WritePair(t, "localhost")
	s := fmt.Sprintf("starttls:endpoint={tcp:port=0:interface=127.0.0.1}:proto=%s:certificate=[%s]:privateKey=[%s]%s", proto, cert, key, options)
	ln, err := endpoint.Listen(within(t), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return service{ln, proto, ca}
}

// client is the string of a client.
func (s service) client(options string) string {
	return fmt.Sprintf("starttls:endpoint={tcp:host=127.0.0.1:port=%d}:proto=%s:host=localhost:trustRoots=[%s]%s",
		s.Addr().(*net.TCPAddr).Port, s.proto, s.roots, options)
}

// Client and server of each protocol agree on TLS with each other, and hand out *tls.Conn.
func TestBothSidesAgree(t *testing.T) {
	for _, proto := range starttls.Protocols() {
		t.Run(proto, func(t *testing.T) {
			s := serve(t, proto, "")
			accepted := make(chan net.Conn, 1)
			go func() {
				conn, err := s.Accept()
				if err != nil {
					t.Error(err)
				}
				accepted <- conn
			}()
			conn, err := endpoint.Dial(within(t), s.client(""))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			peer := <-accepted
			defer peer.Close()
			if state := conn.(*tls.Conn).ConnectionState(); len(state.VerifiedChains) == 0 || state.Version != tls.VersionTLS13 {
				t.Errorf("state %+v", state)
			}
			go func() { _, _ = io.WriteString(peer.(*tls.Conn), "hello\n") }()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if line, err := bufio.NewReader(conn).ReadString('\n'); line != "hello\n" || err != nil {
				t.Errorf("read %q, %v", line, err)
			}
		})
	}
}

// ST-17: the certificate has to be for the host that is named, whatever else is right.
func TestAnotherNameIsNoService(t *testing.T) {
	s := serve(t, "smtp", "")
	_, err := endpoint.Dial(within(t), strings.Replace(s.client(""), "host=localhost", "host=mail.example", 1))
	var failed *starttls.Error
	if !errors.As(err, &failed) || failed.Stage != starttls.StageVerify {
		t.Errorf("%v", err)
	}
}
