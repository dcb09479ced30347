package tlsconn_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/trace"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 10 * time.Second

// A lab is an authority with a server's certificate.
type lab struct {
	t                 *testing.T
	authority         *certtest.Authority
	cert, key, ca     string
	server            tlsconn.ServerSpec
	client            tlsconn.ClientSpec
	serverErr         error
	tracer            trace.Tracer
	near, far         func(net.Conn) net.Conn // what is put around the connections
	serverState, seen tls.ConnectionState
}

func newLab(t *testing.T, spec certtest.Spec) *lab {
	if spec.Names == nil {
		spec.Names = []string{"server.test"}
	}
	a := certtest.NewAuthority(t)
	l := &lab{t: t, authority: a}
	l.cert, l.key, l.ca = a.WritePair(spec)
	common := tlsconn.Common{MinVersion: "1.2", MaxVersion: "1.3", HandshakeTimeout: patience}
	l.server = tlsconn.ServerSpec{
		Layer: "test", Files: []certs.Files{{Certificate: l.cert, PrivateKey: l.key}},
		ServerOptions: tlsconn.ServerOptions{Common: common, ClientAuth: "none", MaxHandshakes: 10},
	}
	l.client = tlsconn.ClientSpec{
		Layer: "test", Name: "server.test", ClientFiles: tlsconn.ClientFiles{TrustRoots: l.ca},
		ClientOptions: tlsconn.ClientOptions{Common: common, Verify: "full", SessionCache: 8},
	}
	return l
}

// shake lets both sides shake hands, and returns what came of it for the client.
func (l *lab) shake() error {
	l.t.Helper()
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		l.t.Fatal(err)
	}
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		l.t.Fatal(err)
	}
	return l.between(client, server)
}

func (l *lab) between(client *tlsconn.Client, server *tlsconn.Server) error {
	ctx, cancel := context.WithTimeout(trace.With(l.t.Context(), l.tracer), patience)
	defer cancel()
	near, far := pipe(l.t)
	if l.near != nil {
		near, far = l.near(near), l.far(far)
	}
	served := make(chan error)
	go func() {
		conn, err := server.Handshake(ctx, far, time.Time{})
		if err == nil {
			l.serverState = conn.ConnectionState()
			_, err = conn.Write([]byte("!")) // TLS 1.3 brings its tickets before this
			_, _ = io.Copy(io.Discard, conn)
			_ = conn.Close()
		}
		served <- err
	}()
	conn, err := client.Handshake(ctx, near, time.Time{})
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
		l.seen = conn.ConnectionState()
		_ = conn.Close()
	}
	l.serverErr = <-served
	return err
}

// pipe is a connection over loopback.
func pipe(t *testing.T) (near, far net.Conn) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	near, err = net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if far, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func TestVerification(t *testing.T) {
	for name, tc := range map[string]struct {
		cert   certtest.Spec
		change func(*lab)
		ok     bool
		cause  any // for errors.As
	}{
		"all right":               {ok: true},
		"with an intermediate":    {cert: certtest.Spec{Intermediate: true}, ok: true},
		"an IP address":           {cert: certtest.Spec{Names: []string{"192.0.2.1"}}, change: named("192.0.2.1"), ok: true},
		"an IPv6 address":         {cert: certtest.Spec{Names: []string{"2001:db8::1"}}, change: named("2001:db8::1"), ok: true},
		"another IP address":      {cert: certtest.Spec{Names: []string{"192.0.2.1"}}, change: named("192.0.2.2"), cause: new(x509.HostnameError)},
		"ST-17: for another name": {cert: certtest.Spec{Names: []string{"other.test"}}, cause: new(x509.HostnameError)},
		"self-signed":             {cert: certtest.Spec{SelfSigned: true}, cause: new(x509.UnknownAuthorityError)},
		"no intermediate":         {cert: certtest.Spec{Intermediate: true, LeafOnly: true}, cause: new(x509.UnknownAuthorityError)},
		"expired":                 {cert: certtest.Spec{NotBefore: time.Now().AddDate(0, 0, -9), NotAfter: time.Now().AddDate(0, 0, -1)}, cause: new(x509.CertificateInvalidError)},
		"not valid yet":           {cert: certtest.Spec{NotBefore: time.Now().AddDate(0, 0, 1)}, cause: new(x509.CertificateInvalidError)},
		"for clients only":        {cert: certtest.Spec{Usage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}, cause: new(x509.CertificateInvalidError)},
		"a root of others": {change: func(l *lab) { _, _, l.client.TrustRoots = certtest.NewAuthority(l.t).WritePair(certtest.Spec{}) },
			cause: new(x509.UnknownAuthorityError)},
		"the system's roots":           {change: func(l *lab) { l.client.TrustRoots = "" }, cause: new(x509.UnknownAuthorityError)},
		"verify=none takes all":        {cert: certtest.Spec{Names: []string{"other.test"}, SelfSigned: true}, change: unverified, ok: true},
		"verify=none needs no name":    {change: func(l *lab) { unverified(l); l.client.Name = "" }, ok: true},
		"pinned leaf":                  {change: pinLeaf, ok: true},
		"pinned root":                  {change: pinRoot, ok: true},
		"pinned leaf, verify=none":     {change: func(l *lab) { unverified(l); pinLeaf(l) }, ok: true},
		"not pinned":                   {change: func(l *lab) { l.client.Pin = []tlsconn.Pin{{1}} }, cause: new(*tls.CertificateVerificationError)},
		"pinned root, verify=none":     {cert: certtest.Spec{Intermediate: true}, change: func(l *lab) { unverified(l); pinRoot(l) }, cause: new(*tls.CertificateVerificationError)},
		"a pin does not make it valid": {cert: certtest.Spec{SelfSigned: true}, change: pinLeaf, cause: new(x509.UnknownAuthorityError)},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, tc.cert)
			if tc.change != nil {
				tc.change(l)
			}
			err := l.shake()
			if tc.ok {
				if err != nil || l.serverErr != nil {
					t.Errorf("%v; the server: %v", err, l.serverErr)
				}
				return
			}
			var failed *tlsconn.Error
			if !errors.As(err, &failed) || failed.Stage != tlsconn.StageVerify || !failed.Terminal() || !errors.As(err, tc.cause) {
				t.Errorf("%v; want a verification that fails with a %T", err, tc.cause)
			}
		})
	}
}

func named(name string) func(*lab) { return func(l *lab) { l.client.Name = name } }

func unverified(l *lab) { l.client.Verify = "none" }

func pinLeaf(l *lab) {
	pair, err := tls.LoadX509KeyPair(l.cert, l.key)
	if err != nil {
		l.t.Fatal(err)
	}
	l.client.Pin = []tlsconn.Pin{{1}, tlsconn.PinOf(pair.Leaf)}
}

func pinRoot(l *lab) { l.client.Pin = []tlsconn.Pin{tlsconn.PinOf(l.authority.Certificate)} }

func TestVersionsAndALPN(t *testing.T) {
	for name, tc := range map[string]struct {
		change  func(*lab)
		version uint16
		alpn    string
		fails   string // "" where it does not
	}{
		"newest":               {version: tls.VersionTLS13},
		"server of TLS 1.2":    {change: func(l *lab) { l.server.MaxVersion = "1.2" }, version: tls.VersionTLS12},
		"client wants TLS 1.3": {change: func(l *lab) { l.server.MaxVersion = "1.2"; l.client.MinVersion = "1.3" }, fails: "protocol version"},
		"the server chooses":   {change: protocols([]string{"b", "a"}, []string{"a", "b"}), version: tls.VersionTLS13, alpn: "a"},
		"the client has none":  {change: protocols(nil, []string{"a"}), version: tls.VersionTLS13},
		"the server has none":  {change: protocols([]string{"a"}, nil), version: tls.VersionTLS13},
		// ST-19: an attacker brings a client of one protocol to a server of another (ALPACA).
		"foreign ALPN":      {change: protocols([]string{"http/1.1"}, []string{"imap"}), fails: "no application protocol"},
		"ALPN that must be": {change: func(l *lab) { l.client.ALPN, l.client.NeedALPN = []string{"a"}, true }, fails: "takes none of the ALPN protocols"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, certtest.Spec{})
			if tc.change != nil {
				tc.change(l)
			}
			err := l.shake()
			switch {
			case tc.fails != "":
				if err == nil || !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("%v; want %q", err, tc.fails)
				}
			case err != nil || l.seen.Version != tc.version || l.seen.NegotiatedProtocol != tc.alpn:
				t.Errorf("%v, version %x, ALPN %q", err, l.seen.Version, l.seen.NegotiatedProtocol)
			}
		})
	}
}

func protocols(client, server []string) func(*lab) {
	return func(l *lab) { l.client.ALPN, l.server.ALPN = client, server }
}

// ST-18: TLS 1.1 is too old for both sides, and a name is sent as SNI where an address is not.
func TestOldVersionsAndServerNames(t *testing.T) {
	l := newLab(t, certtest.Spec{Names: []string{"server.test", "127.0.0.1"}})
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		t.Fatal(err)
	}
	near, far := pipe(t)
	go func() {
		old := tls.Client(near, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
		_ = old.HandshakeContext(t.Context())
		_ = near.Close()
	}()
	if _, err := server.Handshake(t.Context(), far, time.Time{}); err == nil {
		t.Error("a client of TLS 1.1 is served")
	}
	for name, sni := range map[string]string{"server.test": "server.test", "127.0.0.1": ""} {
		l.client.Name = name
		if err := l.shake(); err != nil || l.serverState.ServerName != sni {
			t.Errorf("%s: %v, the server is asked for %q", name, err, l.serverState.ServerName)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	for name, tc := range map[string]struct {
		auth  string
		shown string // "", "ours" or "others"
		fails bool
	}{
		"required and shown":     {"require", "ours", false},
		"required and not shown": {"require", "", true},
		"required, of others":    {"require", "others", true},
		"requested and shown":    {"request", "ours", false},
		"requested, not shown":   {"request", "", false},
		"requested, of others":   {"request", "others", true},
		"not asked for":          {"none", "ours", false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, certtest.Spec{})
			if l.server.ClientAuth = tc.auth; tc.auth != "none" {
				l.server.ClientCA = l.ca
			}
			switch tc.shown {
			case "ours":
				l.client.Certificate, l.client.PrivateKey, _ = l.authority.WritePair(certtest.Spec{Names: []string{"client.test"}})
			case "others":
				l.client.Certificate, l.client.PrivateKey, _ = certtest.WritePair(t, "client.test")
			}
			err := l.shake()
			if failed := l.serverErr != nil; failed != tc.fails || failed != (err != nil) {
				t.Fatalf("%v; the server: %v", err, l.serverErr)
			}
			if verified := len(l.serverState.VerifiedChains) > 0; !tc.fails && verified != (tc.shown == "ours" && tc.auth != "none") {
				t.Errorf("the client is verified: %v", verified)
			}
		})
	}
}

// Sessions are resumed as long as the roots are those that the server was verified by.
func TestSessionsEndWithTheTrust(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	for _, resumed := range []bool{false, true} {
		if err := l.between(client, server); err != nil || l.seen.DidResume != resumed {
			t.Fatalf("%v, resumed %v", err, l.seen.DidResume)
		}
	}
	others := certtest.NewAuthority(t)
	certtest.WriteFile(t, l.ca, others.PEM())
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) { // roots are looked at once a second
		err := l.between(client, server)
		if errors.As(err, new(x509.UnknownAuthorityError)) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("a server of an authority that is not trusted any more: %v", err)
		}
	}
}

// A clock notes the deadline that was set last.
type clock struct {
	net.Conn
	deadline *time.Time
}

func (c clock) SetDeadline(t time.Time) error {
	*c.deadline = t
	return c.Conn.SetDeadline(t)
}

// LI-04, ST-10: the deadline is gone, on both sides, when the handshake is over.
func TestDeadlinesEndWithTheHandshake(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	var ours, theirs time.Time
	l.near = func(c net.Conn) net.Conn { return clock{c, &ours} }
	l.far = func(c net.Conn) net.Conn { return clock{c, &theirs} }
	ours, theirs = time.Unix(1, 0), time.Unix(1, 0)
	if err := errors.Join(l.shake(), l.serverErr); err != nil || !ours.IsZero() || !theirs.IsZero() {
		t.Errorf("%v; deadlines %v and %v are left", err, ours, theirs)
	}
}

// HE-11: a deadline of the context is one for the caller too, though it was the connection's that ended the handshake.
func TestTheContextsDeadline(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	near, far := pipe(t)
	defer far.Close()
	_, err = client.Handshake(ctx, near, time.Time{})
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

// ST-10: the deadline holds against a silent peer.
func TestDeadlines(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	l.client.HandshakeTimeout = time.Millisecond
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	near, far := pipe(t)
	defer far.Close()
	_, err = client.Handshake(t.Context(), near, time.Time{})
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silent server: %v", err)
	}
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after a failed handshake the connection is not closed: %v", err)
	}

	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("changed my mind")
	cancel(why)
	l.client.HandshakeTimeout = patience
	if client, err = tlsconn.NewClient(l.client); err != nil {
		t.Fatal(err)
	}
	near, far = pipe(t)
	defer far.Close()
	if _, err := client.Handshake(ctx, near, time.Time{}); !errors.Is(err, why) {
		t.Errorf("cancelled: %v", err)
	}
}

// A certificate of the client's that was renewed is shown at once: sessions end that the server knows the old one by.
func TestSessionsEndWithTheClientsCertificate(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	l.server.ClientAuth, l.server.ClientCA = "require", l.ca
	l.client.Certificate, l.client.PrivateKey, _ = l.authority.WritePair(certtest.Spec{Names: []string{"old.test"}})
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	shown := func() string {
		if err := errors.Join(l.between(client, server), l.serverErr); err != nil {
			t.Fatal(err)
		}
		return l.serverState.PeerCertificates[0].DNSNames[0]
	}
	if got := []string{shown(), shown()}; !slices.Equal(got, []string{"old.test", "old.test"}) || !l.seen.DidResume {
		t.Fatalf("%q, resumed %v", got, l.seen.DidResume)
	}
	cert, key := l.authority.Issue(certtest.Spec{Names: []string{"new.test"}})
	certtest.WriteFile(t, l.client.PrivateKey, key)
	certtest.WriteFile(t, l.client.Certificate, cert)
	for deadline := time.Now().Add(patience); shown() != "new.test"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the old certificate is shown")
		}
	}
}

// Pins hold on resumption too.
func TestPinsOfResumedSessions(t *testing.T) {
	l := newLab(t, certtest.Spec{})
	pinLeaf(l)
	server, err := tlsconn.NewServer(l.server)
	if err != nil {
		t.Fatal(err)
	}
	client, err := tlsconn.NewClient(l.client)
	if err != nil {
		t.Fatal(err)
	}
	for _, resumed := range []bool{false, true} {
		if err := l.between(client, server); err != nil || l.seen.DidResume != resumed {
			t.Fatalf("%v, resumed %v", err, l.seen.DidResume)
		}
	}
}

func TestOptionsThatDoNotGoTogether(t *testing.T) {
	for param, change := range map[string]func(*lab){
		"maxVersion":       func(l *lab) { l.client.MinVersion, l.client.MaxVersion = "1.3", "1.2" },
		"handshakeTimeout": func(l *lab) { l.client.HandshakeTimeout = 0 },
		"alpn":             func(l *lab) { l.client.ALPN = []string{""} },
		"host":             named(""),
		"certificate":      func(l *lab) { l.client.PrivateKey = "key.pem" },
		"sessionCache":     func(l *lab) { l.client.SessionCache = -1 },
		"clientCA":         func(l *lab) { l.server.ClientCA = "ca.pem" },
		"clientAuth":       func(l *lab) { l.server.ClientAuth = "require" },
		"maxHandshakes":    func(l *lab) { l.server.MaxHandshakes = 0 },
	} {
		l := newLab(t, certtest.Spec{})
		change(l)
		_, err := tlsconn.NewClient(l.client)
		if err == nil {
			_, err = tlsconn.NewServer(l.server)
		}
		var problem *tlsconn.Problem
		if !errors.As(err, &problem) {
			t.Errorf("%s: %v", param, err)
			continue
		}
		if bad, _ := problem.BadParam(); bad != param {
			t.Errorf("%s: blamed is %s: %v", param, bad, err)
		}
	}
}

func TestPinsInEachForm(t *testing.T) {
	const hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	const base64 = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
	var want tlsconn.Pin
	for i := range want {
		want[i] = byte(i)
	}
	for _, text := range []string{hex, "sha256:" + hex, strings.ToUpper(hex), base64, base64 + "=", "sha256/" + base64 + "=", "00:01:02:03:" + hex[8:]} {
		var p tlsconn.Pin
		if err := p.UnmarshalText([]byte(text)); err != nil || p != want {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
	for _, text := range []string{"", "sha256/", hex[2:], base64 + "AA", "sha1/" + base64, strings.Repeat("?", 43)} {
		if err := new(tlsconn.Pin).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a pin", text)
		}
	}
	if text, _ := want.MarshalText(); !slices.Equal(text, []byte(base64+"=")) {
		t.Errorf("%s", text)
	}
}
