package tlsconn_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/trace"
)

// A record is what a listener told.
type record struct {
	mu    sync.Mutex
	lines []string
	more  chan struct{}
}

func newRecord() *record { return &record{more: make(chan struct{}, 100)} }

func (r *record) add(e trace.Event) {
	if e.Kind != trace.Warning && e.Kind != trace.Changed {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, string(e.Kind)+": "+e.Detail)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

// wait waits for a line with text in it.
func (r *record) wait(t *testing.T, text string) {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		r.mu.Lock()
		found := slices.ContainsFunc(r.lines, func(line string) bool { return strings.Contains(line, text) })
		r.mu.Unlock()
		if found {
			return
		}
		select {
		case <-r.more:
		case <-timer.C:
			t.Fatalf("nothing says %q; %q", text, r.lines)
		}
	}
}

func (l *lab) listen(ctx context.Context) (net.Listener, error) {
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		l.t.Fatal(err)
	}
	return server.Listen(ctx, func(context.Context) (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }, nil)
}

// connect makes a connection; the server's certificate is for name.
func (l *lab) connect(ln net.Listener, name string) (client, server net.Conn, err error) {
	accepted := make(chan net.Conn, 1)
	go func() {
		conn, _ := ln.Accept()
		accepted <- conn
	}()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: patience}, "tcp", ln.Addr().String(),
		&tls.Config{RootCAs: l.authority.Pool(), ServerName: name})
	if err != nil {
		return nil, nil, err
	}
	l.t.Cleanup(func() { _ = conn.Close() })
	server = <-accepted
	l.t.Cleanup(func() { _ = server.Close() })
	return conn, server, nil
}

func talk(t *testing.T, client, server net.Conn) {
	t.Helper()
	for _, c := range []net.Conn{client, server} {
		_ = c.SetDeadline(time.Now().Add(patience))
	}
	if _, err := client.Write([]byte("x")); err != nil {
		t.Error(err)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
}

// New files are used for new connections, broken ones are not, and what is connected stays so.
func TestCertificatesChangeUnderAListener(t *testing.T) {
	l := newLab(t, certtest.Spec{Names: []string{"old.test"}})
	r := newRecord()
	ln, err := l.listen(trace.With(t.Context(), r.add))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, server, err := l.connect(ln, "old.test")
	if err != nil {
		t.Fatal(err)
	}

	certtest.WriteFile(t, l.cert, []byte("broken"))
	r.wait(t, "stays in use")
	if _, _, err := l.connect(ln, "old.test"); err != nil {
		t.Errorf("with a broken new file: %v", err)
	}

	cert, key := l.authority.Issue(certtest.Spec{Names: []string{"new.test"}, NotAfter: time.Now().Add(50 * time.Hour)})
	certtest.WriteFile(t, l.key, key)
	certtest.WriteFile(t, l.cert, cert)
	r.wait(t, "were read again")
	r.wait(t, "the certificate for new.test ends in 2 days")
	if _, _, err := l.connect(ln, "new.test"); err != nil {
		t.Errorf("with a new file: %v", err)
	}
	talk(t, client, server)
}

// A server whose certificate is no good does not start to listen.
func TestListenNeedsACertificate(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	if err := os.Remove(l.key); err != nil {
		t.Fatal(err)
	}
	_, err := l.listen(t.Context())
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), l.key) {
		t.Errorf("%v", err)
	}
}

// LI-04: what fails is told, and is not returned from Accept.
func TestAFailedHandshakeIsTold(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	r := newRecord()
	ln, err := l.listen(trace.With(t.Context(), r.add))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, _ = conn.Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	r.wait(t, "handshake failed")
	client, server, err := l.connect(ln, "server.test")
	if err != nil {
		t.Fatal(err)
	}
	talk(t, client, server)
}

// A listener is what there is below it as far as that makes sense.
func TestAListenerOverASocket(t *testing.T) {
	ln, err := newLab(t, certtest.Spec{}).listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if inner := ln.(interface{ NetListener() net.Listener }).NetListener(); inner.Addr() != ln.Addr() {
		t.Errorf("%v", inner)
	}
	_ = ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Unix(1, 0))
	if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := errors.Join(ln.Close(), ln.Close()); err != nil { // LI-05
		t.Error(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// A client hears of a server whose certificate ends soon, and a tracer what was agreed on.
func TestTraceOfAHandshake(t *testing.T) {
	l := newLab(t, certtest.Spec{NotAfter: time.Now().Add(75 * time.Hour)})
	l.client.ALPN, l.server.ALPN = []string{"h2"}, []string{"h2"}
	ln, err := l.listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		if conn, err := ln.Accept(); err == nil {
			_ = conn.Close()
		}
	}()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var details []string
	encrypted, err := client.Handshake(trace.With(t.Context(), func(e trace.Event) { details = append(details, e.Detail) }), conn, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	_ = encrypted.Close()
	want := []string{"TLS with server.test", "TLS 1.3, TLS_AES_128_GCM_SHA256, ALPN h2", "the certificate of " + ln.Addr().String() + " ends in 3 days"}
	for i, text := range want {
		if i >= len(details) || !strings.HasPrefix(details[i], text) {
			t.Errorf("%q; want %q", details, want)
		}
	}
}

// A file of authorities that is broken leaves those from before in use, on both sides.
func TestBrokenRootsLeaveTheOldOnes(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	l.server.ClientAuth, l.server.ClientCA = "require", l.ca
	l.client.Certificate, l.client.PrivateKey, _ = l.authority.WritePair(certtest.Spec{Names: []string{"client.test"}})
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.between(client, server), l.serverErr); err != nil {
		t.Fatal(err)
	}
	r := newRecord()
	l.tracer = r.add
	certtest.WriteFile(t, l.ca, []byte("broken"))
	for deadline := time.Now().Add(patience); len(r.more) == 0 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := errors.Join(l.between(client, server), l.serverErr); err != nil {
			t.Fatal(err)
		}
	}
	r.wait(t, "stays in use")
}

// A server whose clients can't be verified does not start to listen.
func TestListenNeedsTheClientsAuthorities(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	l.server.ClientAuth, l.server.ClientCA = "require", "/nonexistent.pem"
	if _, err := l.listen(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// Clients of an authority that is trusted no more are refused, those too that have a session from before.
func TestTrustInClientsEnds(t *testing.T) {
	for _, version := range []string{"1.2", "1.3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, certtest.Spec{})
			l.server.MaxVersion = version
			theirs := certtest.NewAuthority(t)
			l.client.Certificate, l.client.PrivateKey, l.server.ClientCA = theirs.WritePair(certtest.Spec{Names: []string{"client.test"}})
			l.server.ClientAuth = "require"
			server, err := tlsconn.NewServer(l.server)
			if err != nil {
				t.Fatal(err)
			}
			client, err := tlsconn.NewClient(l.client)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := errors.Join(l.between(client, server), l.serverErr); err != nil {
					t.Fatal(err)
				}
			}
			if !l.serverState.DidResume {
				t.Error("the second connection is none of the first one's session")
			}
			certtest.WriteFile(t, l.server.ClientCA, certtest.NewAuthority(t).PEM())
			for deadline := time.Now().Add(patience); l.serverErr == nil; time.Sleep(50 * time.Millisecond) {
				_ = l.between(client, server)
				if time.Now().After(deadline) {
					t.Fatal("a client of an authority that is not trusted any more is served")
				}
			}
		})
	}
}

// A certificate that nobody renews is told of each day.
func TestTheEndOfACertificateIsToldEachDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		days := 0
		stop := tlsconn.Daily(func() { days++ })
		time.Sleep(3*24*time.Hour + time.Hour)
		stop()
		stop()
		if days != 3 {
			t.Errorf("told %d times in three days", days)
		}
	})
}
