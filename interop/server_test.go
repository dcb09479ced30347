package interop

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
	"github.com/epctl/endpoint/plugins/starttls"
)

// A service is a listener of ours for clients of other people.
type service struct {
	port int
	ca   string // file of the authority that signed its certificate, which is for localhost
}

// serveTLS listens on what format makes of the files of a certificate and its key, and runs app on each connection.
func serveTLS(t *testing.T, format string, app func(net.Conn)) service {
	t.Helper()
	cert, key, ca := certtest.WritePair(t, "localhost", "127.0.0.1")
	ln := listen(t, fmt.Sprintf(format, cert, key))
	serve(ln, app)
	return service{port(ln), ca}
}

// serve runs app on each connection until the listener is closed.
func serve(ln net.Listener, app func(net.Conn)) {
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(patience))
				app(c)
			}()
		}
	}()
}

// serveSTARTTLS is serveTLS behind the plain text of a protocol.
func serveSTARTTLS(t *testing.T, proto string, app func(net.Conn)) service {
	t.Helper()
	return serveTLS(t, `starttls:endpoint={tcp:port=0:interface=127.0.0.1}:proto=`+proto+`:certificate=[%s]:privateKey=[%s]`, app)
}

// echoLine sends a line back and is done.
func echoLine(c net.Conn) {
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil {
		_, _ = io.WriteString(c, line)
	}
}

// OpenSSL knows all our protocols.
func TestServerAgainstOpenSSL(t *testing.T) {
	openssl := testenv.Tool(t, "openssl")
	for _, proto := range starttls.Protocols() {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := serveSTARTTLS(t, proto, echoLine)
			cmd := exec.CommandContext(testContext(t), openssl, "s_client", "-starttls", proto,
				"-connect", fmt.Sprintf("127.0.0.1:%d", s.port), "-CAfile", s.ca, "-verify_return_error",
				"-verify_hostname", "localhost", "-servername", "localhost", "-xmpphost", "localhost", "-brief", "-ign_eof")
			cmd.Stdin = strings.NewReader("from openssl\n")
			out := output(t, cmd)
			for _, want := range []string{"Verification: OK", "Protocol version: TLSv1.3", "from openssl"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}

// GnuTLS has dialogues of its own.
func TestServerAgainstGnuTLS(t *testing.T) {
	gnutls := testenv.Tool(t, "gnutls-cli")
	for _, proto := range []string{"smtp", "lmtp", "pop3", "imap", "nntp", "sieve", "ftp", "xmpp", "ldap", "postgres"} {
		t.Run(proto, func(t *testing.T) {
			t.Parallel()
			s := serveSTARTTLS(t, proto, echoLine)
			cmd := exec.CommandContext(testContext(t), gnutls, "--starttls-proto="+proto, "--x509cafile="+s.ca,
				"--verify-hostname=localhost", "--sni-hostname=localhost", fmt.Sprintf("--port=%d", s.port), "localhost")
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close() // gnutls-cli leaves when its input ends, not before the server does
			if _, err := io.WriteString(in, "from gnutls\n"); err != nil {
				t.Fatal(err)
			}
			out := output(t, cmd)
			for _, want := range []string{"Status: The certificate is trusted.", "TLS1.3", "\nfrom gnutls"} {
				if !strings.Contains(out, want) {
					t.Errorf("no %q in\n%s", want, out)
				}
			}
		})
	}
}
