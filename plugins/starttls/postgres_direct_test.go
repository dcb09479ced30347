package starttls_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/starttls"
)

// ST-13: TLS at once is for both sides or none, and never without ALPN.
func TestPostgresDirect(t *testing.T) {
	for _, tc := range []struct {
		name, server, client string
		up                   bool // TLS comes up
	}{
		{"both", ":direct=yes", ":direct=yes", true},
		{"neither", "", "", true},
		{"only the server", ":direct=yes", "", true},
		{"only the client", "", ":direct=yes", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := serve(t, "postgres", tc.server)
			conn, err := endpoint.Dial(within(t), s.client(tc.client))
			var failed *starttls.Error
			switch {
			case err != nil && (tc.up || !errors.As(err, &failed)):
				t.Fatal(err)
			case err == nil && !tc.up:
				t.Fatalf("connected: %T", conn)
			case err != nil:
				return
			}
			defer conn.Close()
			if state := conn.(*tls.Conn).ConnectionState(); state.NegotiatedProtocol != "postgresql" { // ST-19
				t.Errorf("ALPN %q", state.NegotiatedProtocol)
			}
		})
	}
}

// ST-13, ST-19: a client that begins with TLS and does not say for which protocol is not handed out; neither is the server
// one that such a client talks to.
func TestPostgresDirectNeedsALPN(t *testing.T) {
	s := serve(t, "postgres", ":direct=yes")
	go func() {
		if conn, err := s.Accept(); err == nil {
			t.Errorf("handed out %T", conn)
		}
	}()
	pem, err := os.ReadFile(s.roots)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{RootCAs: roots, ServerName: "localhost"})
	if err == nil {
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(patience))
		_, err = conn.Read(make([]byte, 1))
	}
	if err == nil || os.IsTimeout(err) {
		t.Errorf("the server goes on: %v", err)
	}
	_ = s.Close()
}

// ST-13: the same from the other side.
func TestPostgresDirectWantsALPN(t *testing.T) {
	cert, key, ca := certtest.WritePair(t, "localhost")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(patience))
				if n, _ := io.Copy(io.Discard, conn); n > 0 {
					t.Errorf("%d bytes came", n)
				}
			}()
		}
	}()
	conn, err := endpoint.Dial(within(t), service{ln, "postgres", ca}.client(":direct=yes"))
	var failed *starttls.Error
	if !errors.As(err, &failed) || failed.Stage != starttls.StageHandshake {
		t.Errorf("%v, %v", conn, err)
	}
}

// ST-13, ST-19: who speaks another protocol by ALPN is no PostgreSQL, on either side.
func TestPostgresDirectAgainstAnotherProtocol(t *testing.T) {
	s := serve(t, "postgres", ":direct=yes")
	go func() {
		if conn, err := s.Accept(); err == nil {
			t.Errorf("handed out %T", conn)
		}
	}()
	port := s.Addr().(*net.TCPAddr).Port
	conn, err := endpoint.Dial(within(t), fmt.Sprintf("tls:endpoint={tcp:127.0.0.1:%d}:host=localhost:trustRoots=[%s]:alpn=http/1.1", port, s.roots))
	if err == nil {
		t.Errorf("a web client is served: %T", conn)
	}

	cert, key, ca := certtest.WritePair(t, "localhost")
	web, err := endpoint.Listen(within(t), fmt.Sprintf("tls:port=0:interface=127.0.0.1:alpn=http/1.1:certificate=[%s]:privateKey=[%s]", cert, key))
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	_, err = endpoint.Dial(within(t), service{web, "postgres", ca}.client(":direct=yes"))
	if failed := (*starttls.Error)(nil); !errors.As(err, &failed) || failed.Stage != starttls.StageHandshake {
		t.Errorf("a web server is taken for a database: %v", err)
	}
}
