package interop

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// trustDir is a directory with a copy of an authority.
func trustDir(t *testing.T, ca string) string {
	t.Helper()
	text, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certtest.WriteFile(t, filepath.Join(dir, "ca.pem"), text)
	return dir
}

// Our tls dials what openssl s_server listens on.
func TestTLSClientAgainstOpenSSL(t *testing.T) {
	openssl := testenv.Tool(t, "openssl")
	cert, key, ca := certtest.WritePair(t, "localhost")
	files := strings.NewReplacer("@CERT", cert, "@KEY", key, "@CA", ca)
	for _, tc := range []struct {
		name, server, client string // options beside those that all have
		version              uint16 // 0: there is no connection
		alpn                 string
	}{
		{"TLS 1.3", "", "", tls.VersionTLS13, ""},
		{"TLS 1.2", "-tls1_2", "", tls.VersionTLS12, ""},
		{"not TLS 1.2 where we want 1.3", "-tls1_2", ":minVersion=1.3", 0, ""},
		{"not TLS 1.1", "-tls1_1 -cipher ALL:@SECLEVEL=0", "", 0, ""}, // ST-18
		{"ALPN", "-alpn imap", ":alpn=imap", tls.VersionTLS13, "imap"},
		{"a certificate of ours", "-Verify 1 -verify_return_error -CAfile @CA", ":certificate=[@CERT]:privateKey=[@KEY]", tls.VersionTLS13, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			args := strings.Fields("s_server -accept 127.0.0.1:0 -naccept 1 -rev -cert @CERT -key @KEY " + tc.server)
			for i := range args {
				args[i] = files.Replace(args[i])
			}
			out := start(t, exec.Command(openssl, args...))
			s := fmt.Sprintf("tls:endpoint={tcp:host=127.0.0.1:port=%s}:host=localhost:trustRoots=[@CA]%s", accepting(t, out), tc.client)
			c, err := endpoint.Dial(testContext(t), files.Replace(s))
			if tc.version == 0 {
				if err == nil {
					c.Close()
					t.Fatal("there is a connection")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			state := c.(*tls.Conn).ConnectionState()
			if state.Version != tc.version || state.NegotiatedProtocol != tc.alpn || len(state.VerifiedChains) == 0 {
				t.Errorf("%s, ALPN %q, %d verified chains", tls.VersionName(state.Version), state.NegotiatedProtocol, len(state.VerifiedChains))
			}
			_ = c.SetDeadline(time.Now().Add(patience))
			if _, err := io.WriteString(c, "abc\n"); err != nil {
				t.Fatal(err)
			}
			if got := readLine(t, bufio.NewReader(c)); got != "cba" {
				t.Errorf("got %q, wanted it reversed", got)
			}
		})
	}
}

// accepting reads the port of an openssl s_server off what it prints.
func accepting(t *testing.T, out *bufio.Reader) string {
	t.Helper()
	for {
		if _, port, ok := strings.Cut(readLine(t, out), "ACCEPT 127.0.0.1:"); ok {
			return port
		}
	}
}

// openssl s_client dials what our tls listens on, and our starttls where that has a choice to make.
func TestTLSServerAgainstOpenSSL(t *testing.T) {
	openssl := testenv.Tool(t, "openssl")
	const (
		overTLS  = `tls:endpoint={tcp:port=0:interface=127.0.0.1}:certificate=[%s]:privateKey=[%s]`
		postgres = `starttls:proto=postgres:direct=yes:endpoint={tcp:port=0:interface=127.0.0.1}:certificate=[%s]:privateKey=[%s]`
		overIMAP = `starttls:proto=imap:endpoint={tcp:port=0:interface=127.0.0.1}:certificate=[%s]:privateKey=[%s]`
	)
	cert, key, ca := certtest.WritePair(t, "client.test")
	files := strings.NewReplacer("@CERT", cert, "@KEY", key, "@CA", ca)
	for _, tc := range []struct{ name, server, client, want string }{ // no want: there is no connection
		{"TLS 1.3", overTLS, "-tls1_3", "TLS 1.3"},
		{"TLS 1.2", overTLS, "-tls1_2", "TLS 1.2"},
		{"not TLS 1.2 where we want 1.3", overTLS + ":minVersion=1.3", "-tls1_2", ""},
		{"not TLS 1.1", overTLS, "-tls1_1 -cipher ALL:@SECLEVEL=0", ""}, // ST-18
		{"a name", overTLS, "-servername localhost", `server name "localhost"`},
		{"ALPN", overTLS + ":alpn=h2", "-alpn h2", `ALPN "h2"`},
		{"not another ALPN", overTLS + ":alpn=h2", "-alpn imap", ""},
		{"the ALPN of the protocol", overIMAP, "-starttls imap -alpn imap", `ALPN "imap"`},  // ST-19
		{"not the ALPN of another protocol", overIMAP, "-starttls imap -alpn http/1.1", ""}, // ST-19
		{"PostgreSQL's TLS at once", postgres, "-alpn postgresql", `ALPN "postgresql"`},     // ST-13
		{"PostgreSQL's TLS when asked for", postgres, "-starttls postgres", `ALPN ""`},
		{"not PostgreSQL's TLS at once without ALPN", postgres, "", ""}, // ST-13
		{"a certificate of the client's", overTLS + ":clientAuth=require:clientCA=[@CA]", "-cert @CERT -key @KEY", "client client.test"},
		{"a certificate is missing", overTLS + ":clientAuth=require:clientCA=[@CA]", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := serveTLS(t, files.Replace(tc.server), tellState)
			args := fmt.Sprintf("s_client -connect 127.0.0.1:%d -brief -ign_eof -verify_return_error -verify_hostname localhost ", s.port) + files.Replace(tc.client)
			cmd := exec.CommandContext(testContext(t), openssl, append(strings.Fields(args), "-CAfile", s.ca)...)
			cmd.Stdin = strings.NewReader("from openssl\n")
			out, err := cmd.CombinedOutput()
			// A client of TLS 1.3 may learn that it is refused after its own part of the handshake.
			reached := strings.Contains(string(out), "our side: ")
			if reached != (tc.want != "") || reached && err != nil {
				t.Fatalf("there was a connection: %v, %v\n%s", reached, err, out)
			}
			if !strings.Contains(string(out), tc.want) {
				t.Errorf("no %q in\n%s", tc.want, out)
			}
		})
	}
}

// A directory of certificates, as Twisted 26 has it: openssl s_client gets the one for the name that it asks for.
func TestTLSServerHasACertificateForEachName(t *testing.T) {
	openssl := testenv.Tool(t, "openssl")
	authority := certtest.NewAuthority(t)
	ca, dir := filepath.Join(t.TempDir(), "ca.pem"), t.TempDir()
	certtest.WriteFile(t, ca, authority.PEM())
	names := []string{"one.test", "two.test"}
	for _, name := range names {
		cert, key := authority.Issue(certtest.Spec{Names: []string{name}})
		certtest.WriteFile(t, filepath.Join(dir, name+".pem"), append(key, cert...))
	}
	ln := listen(t, fmt.Sprintf("tls:port=0:interface=127.0.0.1:path=[%s]", dir))
	serve(ln, tellState)
	for _, name := range names {
		cmd := exec.CommandContext(testContext(t), openssl, "s_client", "-connect", ln.Addr().String(), "-brief", "-ign_eof",
			"-servername", name, "-verify_hostname", name, "-verify_return_error", "-CAfile", ca)
		cmd.Stdin = strings.NewReader("from openssl\n")
		if out, want := output(t, cmd), fmt.Sprintf("server name %q", name); !strings.Contains(out, want) || !strings.Contains(out, "Verification: OK") {
			t.Errorf("for %s:\n%s", name, out)
		}
	}
}

// tellState waits for a line, and says what our side knows of the connection.
func tellState(c net.Conn) {
	if _, err := bufio.NewReader(c).ReadString('\n'); err != nil {
		return
	}
	state := c.(*tls.Conn).ConnectionState()
	client := "nobody"
	if len(state.VerifiedChains) > 0 {
		client = state.PeerCertificates[0].Subject.CommonName
	}
	fmt.Fprintf(c, "our side: %s, server name %q, ALPN %q, client %s\n", tls.VersionName(state.Version), state.ServerName, state.NegotiatedProtocol, client)
}
