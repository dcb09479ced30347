package starttls_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/peerscript"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// corpusAtOnce is how many cases run beside each other.
const corpusAtOnce = 4

// The client meets hostile servers. Each case runs in a bubble, so that slow feeds and silences cost no time.
func TestHostileServers(t *testing.T) {
	certs := peerscript.NewCerts(t)
	forEachCase(t, "client", func(t *testing.T, c *peerscript.Case) {
		synctest.Test(t, func(t *testing.T) {
			near, far := peerscript.Pipe()
			meetServer(t, certs, c, near, far)
		})
	})
}

// overTCP are the cases, of all protocols, that meet over loopback as well, where segments may melt together, and what
// was sent before a reset may come after it.
var overTCP = []string{"ok", "ok-byte-by-byte", "injection-one-write", "injection-gap", "injection-behind-hello", "refused-1", "eof-behind-hello", "cert-other-name"}

func TestHostileServersOverTCP(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // ST-24
	certs := peerscript.NewCerts(t)
	forEachCase(t, "client", func(t *testing.T, c *peerscript.Case) {
		near, far := loopback(t)
		meetServer(t, certs, c, near, far)
	}, overTCP...)
}

// loopback returns the two ends of a TCP connection.
func loopback(t *testing.T) (near, far net.Conn) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if near, err = net.Dial("tcp4", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

// The server meets hostile clients, in real time: it watches its files, and what waits for a file system holds the time
// of a bubble.
func TestHostileClients(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent()) // ST-24
	certs := peerscript.NewCerts(t)
	forEachCase(t, "server", func(t *testing.T, c *peerscript.Case) { meetClient(t, certs, c) })
}

// forEachCase runs the cases of a side beside each other; with names, only those that are called so.
func forEachCase(t *testing.T, side string, run func(*testing.T, *peerscript.Case), names ...string) {
	root := filepath.Join("testdata", side)
	var files []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, isCase := strings.CutSuffix(filepath.Base(path), ".txtar")
		if isCase && (len(names) == 0 || slices.Contains(names, name)) {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in %s: %v", root, err)
	}
	t.Run("corpus", func(t *testing.T) {
		places := make(chan struct{}, corpusAtOnce)
		for _, file := range files {
			name, _ := filepath.Rel(root, strings.TrimSuffix(file, ".txtar"))
			t.Run(filepath.ToSlash(name), func(t *testing.T) {
				t.Parallel()
				places <- struct{}{}
				defer func() { <-places }()
				c, err := peerscript.ReadCase(file)
				if err != nil {
					t.Fatal(err)
				}
				if len(c.IDs) == 0 {
					t.Error("the file names no requirement")
				}
				run(t, c)
			})
		}
	})
}

// A dialer is the inner endpoint of a client: one end of a pipe.
type dialer struct{ conn net.Conn }

func (d dialer) Dial(context.Context) (net.Conn, error) { return d.conn, nil }

// meetServer dials by way of near, and the case's script plays the server on far.
func meetServer(t *testing.T, certs *peerscript.Certs, c *peerscript.Case, near, far net.Conn) {
	plugins := withPeer(registry.Plugin{Client: registry.For(func(struct{}) (registry.Client, error) { return dialer{near}, nil })})
	client, err := plugins.NewClient(endpointString(c, "trustRoots", certs, "ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	peer := make(chan *peerscript.Result)
	go func() { peer <- peerscript.Peer{Certs: certs, Deadline: time.Minute}.Run(t, far, c.Peer) }()

	var told events
	start := time.Now()
	conn, err := client.Dial(trace.With(t.Context(), told.add))
	took := time.Since(start)
	if conn != nil {
		talk(t, conn, c.Want)
		_ = conn.Close()
	}
	judge(t, c.Want, outcome{conn: conn, err: err, took: took, events: &told}, <-peer)
}

// A listener is the inner endpoint of a server: it accepts one connection.
type listener struct {
	conns  chan net.Conn
	closed chan struct{}
	close  func()
}

func newListener(conn net.Conn) listener {
	l := listener{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
	l.conns <- conn
	l.close = sync.OnceFunc(func() { close(l.closed) })
	return l
}

func (l listener) Listen(context.Context) (net.Listener, error) { return l, nil }
func (l listener) Close() error                                 { l.close(); return nil }
func (l listener) Addr() net.Addr                               { return &net.TCPAddr{} }

func (l listener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// meetClient listens, and the case's script plays the only client.
func meetClient(t *testing.T, certs *peerscript.Certs, c *peerscript.Case) {
	near, far := peerscript.Pipe()
	inner := newListener(near)
	plugins := withPeer(registry.Plugin{Server: registry.For(func(struct{}) (registry.Server, error) { return inner, nil })})
	server, err := plugins.NewServer(endpointString(c, "certificate", certs, "cert.pem", "privateKey", "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var told events
	ln, err := server.Listen(trace.With(t.Context(), told.add))
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	accepted := make(chan net.Conn, 1)
	go func() {
		defer close(accepted)
		if conn, err := ln.Accept(); err == nil {
			talk(t, conn, c.Want)
			_ = conn.Close()
			accepted <- conn
		}
	}()
	result := peerscript.Peer{Certs: certs, Deadline: 20 * time.Second}.Run(t, far, c.Peer)
	took := time.Since(start)
	// A connection that is to come may come a little later than the peer has seen all; one that is not, has come by now.
	if c.Want.Outcome == "plain" || c.Want.Outcome == "ok" && result.TLS != nil {
		time.AfterFunc(patience, func() { _ = ln.Close() })
	} else {
		_ = ln.Close()
	}
	conn := <-accepted
	_ = ln.Close()
	judge(t, c.Want, outcome{conn: conn, err: told.failure(), took: took, events: &told}, result)
}

// withPeer returns a registry of starttls and of the endpoint peer, which is to be the inner one.
func withPeer(peer registry.Plugin) *registry.Registry {
	peer.Name, peer.Doc = "peer", "A scripted peer."
	return registry.Must(registry.New(starttls.Plugin, peer))
}

// endpointString is the string of the endpoint under test; files that a case does not name are those of certs.
func endpointString(c *peerscript.Case, certs ...any) string {
	params := append([]string{"starttls:endpoint={peer}"}, c.Params...)
	dir := certs[1].(*peerscript.Certs).Dir
	certs = slices.Delete(certs, 1, 2)
	for i := 0; i < len(certs); i += 2 {
		key := certs[i].(string) + "="
		if !slices.ContainsFunc(c.Params, func(p string) bool { return strings.HasPrefix(p, key) }) {
			params = append(params, fmt.Sprintf("%s[%s]", key, filepath.Join(dir, certs[i+1].(string))))
		}
	}
	return strings.Join(params, ":")
}

// talk does with a connection what the case says.
func talk(t *testing.T, conn net.Conn, want peerscript.Want) {
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	for _, step := range want.Talk {
		if step.Write {
			if _, err := conn.Write(step.Bytes); err != nil {
				t.Errorf("writing %q: %v", step.Bytes, err)
			}
			continue
		}
		got := make([]byte, len(step.Bytes))
		if n, err := io.ReadFull(conn, got); !bytes.Equal(got[:n], step.Bytes) {
			t.Errorf("read %q, %v; want %q", got[:n], err, step.Bytes)
		}
	}
}
