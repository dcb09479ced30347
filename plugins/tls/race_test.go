package tls_test

import (
	"context"
	stdtls "crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/plugins/tls"
	"github.com/epctl/endpoint/registry"
)

const patience = 10 * time.Second

// two listens on one port of [::1] and 127.0.0.1.
func two(t *testing.T) (v6, v4 net.Listener, port int) {
	t.Helper()
	for range 16 {
		v6, err := net.Listen("tcp6", "[::1]:0")
		if err != nil {
			t.Fatal(err)
		}
		port = v6.Addr().(*net.TCPAddr).Port
		if v4, err = net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			t.Cleanup(func() { _ = v6.Close(); _ = v4.Close() })
			return v6, v4, port
		}
		_ = v6.Close()
	}
	t.Fatal("no port is free in both families")
	return nil, nil, 0
}

// each lets handle have every connection.
func each(ln net.Listener, handle func(net.Conn)) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			handle(conn)
		}()
	}
}

func silent(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) }

func speaking(t *testing.T, cert, key string) func(net.Conn) {
	pair, err := stdtls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	return func(conn net.Conn) {
		silent(stdtls.Server(conn, &stdtls.Config{Certificates: []stdtls.Certificate{pair}}))
	}
}

// HE-08: an address has won when its handshake has: one that is silent then, or has the certificate of somebody else, loses
// to the next.
func TestTheHandshakeIsPartOfTheRace(t *testing.T) {
	cert, key, ca := certtest.WritePair(t, "db.example")
	otherCert, otherKey, _ := certtest.WritePair(t, "db.example")
	plugins := registry.Must(registry.New(tls.Plugin, hostname.Plugin, static.Plugin))
	for name, first := range map[string]func(net.Conn){"silent": silent, "somebody else": speaking(t, otherCert, otherKey)} {
		t.Run(name, func(t *testing.T) {
			v6, v4, port := two(t)
			go each(v6, first)
			go each(v4, speaking(t, cert, key))
			client, err := plugins.NewClient(fmt.Sprintf(
				"tls:endpoint={hostname:db.example:%d:family=prefer6:attemptDelay=10ms:resolver={static:db.example=[::1,127.0.0.1]}}:trustRoots=[%s]", port, ca))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			conn, err := client.Dial(ctx)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if got := conn.RemoteAddr().(*net.TCPAddr).IP; got.To4() == nil {
				t.Errorf("connected to %v", got)
			}
		})
	}
}

// Where no address has the right certificate, the error tells of each.
func TestNobodyIsWhoHeShouldBe(t *testing.T) {
	cert, key, _ := certtest.WritePair(t, "db.example")
	_, _, ca := certtest.WritePair(t, "db.example")
	v6, v4, port := two(t)
	go each(v6, speaking(t, cert, key))
	go each(v4, speaking(t, cert, key))
	plugins := registry.Must(registry.New(tls.Plugin, hostname.Plugin, static.Plugin))
	client, err := plugins.NewClient(fmt.Sprintf(
		"tls:endpoint={hostname:db.example:%d:resolver={static:db.example=[::1,127.0.0.1]}}:trustRoots=[%s]", port, ca))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	_, err = client.Dial(ctx)
	var failed *tls.Error
	if !errors.As(err, &failed) || failed.Name != "db.example" || !errors.As(err, new(x509.UnknownAuthorityError)) {
		t.Errorf("%v", err)
	}
}
