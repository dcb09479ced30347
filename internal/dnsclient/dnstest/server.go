package dnstest

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"testing"
)

// Name is a name that the certificates of servers have.
const Name = "dns.example"

// A Server listens on loopback addresses until the test ends.
type Server struct {
	Addr      netip.AddrPort // UDP and TCP
	TLS       netip.AddrPort
	HTTPS     netip.AddrPort // for HTTP/2 and, with a client that has no other, HTTP/1.1
	RootsFile string         // the certificate of the authority of its certificates, for Name, 127.0.0.1 and ::1

	t    testing.TB
	h    Handler
	cert tls.Certificate

	running sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	open    map[io.Closer]bool
}

// Start starts a server on 127.0.0.1.
func Start(t testing.TB, h Handler) *Server {
	return StartOn(t, netip.AddrFrom4([4]byte{127, 0, 0, 1}), h)
}

// StartOn starts a server on a loopback address.
func StartOn(t testing.TB, on netip.Addr, h Handler) *Server {
	t.Helper()
	s := &Server{t: t, h: h, open: make(map[io.Closer]bool)}
	s.cert, s.RootsFile = certificate(t)
	packets, stream := s.pair(on)
	s.Addr = addrOf(stream)
	s.running.Go(func() { serveSocket(t, packets, s.h, &s.running) })
	s.accept(stream, "tcp")

	secure := s.listen(on)
	s.TLS = addrOf(secure)
	s.accept(tls.NewListener(secure, &tls.Config{Certificates: []tls.Certificate{s.cert}, NextProtos: []string{"dot"}}), "tls")
	web := s.listen(on)
	s.HTTPS = addrOf(web)
	s.serveHTTPS(web)
	t.Cleanup(s.Close)
	return s
}

// Close stops the server and waits until nothing of it runs.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.open {
		_ = c.Close()
	}
	s.mu.Unlock()
	s.running.Wait()
}

// CloseStreams closes the connections that clients have, as a server does that is tired of them.
func (s *Server) CloseStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if conn, ok := c.(net.Conn); ok && conn.RemoteAddr() != nil {
			_ = c.Close()
		}
	}
}

// Streams is how many connections clients have over TCP and TLS.
func (s *Server) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for c := range s.open {
		if conn, ok := c.(net.Conn); ok && conn.RemoteAddr() != nil {
			n++
		}
	}
	return n
}

func addrOf(l net.Listener) netip.AddrPort { return l.Addr().(*net.TCPAddr).AddrPort() }

func (s *Server) listen(on netip.Addr) net.Listener {
	s.t.Helper()
	l, err := net.Listen("tcp", netip.AddrPortFrom(on, 0).String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.keep(l)
	return l
}

// pair opens one port for UDP and TCP. The one that is free for TCP may be taken for UDP.
func (s *Server) pair(on netip.Addr) (net.PacketConn, net.Listener) {
	s.t.Helper()
	for range 20 {
		l := s.listen(on)
		p, err := net.ListenPacket("udp", l.Addr().String())
		if err == nil {
			s.keep(p)
			return p, l
		}
	}
	s.t.Fatal("no port is free for both UDP and TCP")
	return nil, nil
}

// keep remembers what Close has to close; false says that it is closed already.
func (s *Server) keep(c io.Closer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = c.Close()
		return false
	}
	s.open[c] = true
	return true
}

func (s *Server) forget(c io.Closer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
}

func (s *Server) accept(l net.Listener, transport string) {
	s.running.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if !s.keep(conn) {
				return
			}
			s.running.Go(func() {
				defer s.forget(conn)
				defer conn.Close()
				serveStream(s.t, conn, transport, s.h)
			})
		}
	})
}

func (s *Server) serveHTTPS(l net.Listener) {
	server := &http.Server{
		Handler:   http.HandlerFunc(s.serveHTTP),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{s.cert}},
	}
	s.keep(server)
	s.running.Go(func() { _ = server.ServeTLS(l, "", "") })
}

// serveHTTP hands a query over. A handler that sends nothing has the connection closed.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/dns-message" {
		s.t.Errorf("the client asks by %s with %q", r.Method, r.Header.Get("Content-Type"))
	}
	body, _ := io.ReadAll(r.Body)
	q, ok := parse(s.t, "https", body)
	if !ok {
		return
	}
	q.HTTP, q.Proto = w, r.Proto
	q.Host, q.Path = r.Host, r.URL.Path
	sent := false
	q.status = func(code int) { sent = true; w.WriteHeader(code) }
	q.raw = func(b []byte) { sent = true; _, _ = w.Write(b) }
	q.send = func(message []byte) {
		if w.Header().Get("Content-Type") == "" {
			w.Header().Set("Content-Type", "application/dns-message")
		}
		q.raw(message)
	}
	s.h(q)
	if !sent {
		panic(http.ErrAbortHandler)
	}
}
