package dns_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/dnsclient/dnstest"
	"github.com/epctl/endpoint/internal/testenv"
)

// A zone is what the real servers serve, as records of a zone file.
func zone() []string {
	records := []string{
		"host.example. 300 IN A 192.0.2.1", "host.example. 300 IN AAAA 2001:db8::1",
		"six.example. 300 IN AAAA 2001:db8::6",
		"alias.example. 300 IN CNAME host.example.",
	}
	for i := range 100 {
		records = append(records, fmt.Sprintf("many.example. 300 IN AAAA 2001:db8:1::%x", i+1))
	}
	return records
}

// unbound starts one and returns its ports for UDP and TCP, for TLS and for HTTPS, and the file with the roots.
func unbound(t *testing.T) (plain, secure, web uint16, rootsFile string) {
	t.Helper()
	program := testenv.Tool(t, "unbound")
	dir := t.TempDir()
	certFile, keyFile, rootsFile := dnstest.WritePEM(t, dir)
	var local strings.Builder
	for _, record := range zone() {
		fmt.Fprintf(&local, "  local-data: %q\n", record)
	}
	start(t, "start of service", func() *exec.Cmd {
		plain, secure, web = freePort(t), freePort(t), freePort(t)
		config := fmt.Sprintf(`server:
  directory: %[1]q
  chroot: ""
  username: ""
  pidfile: ""
  logfile: ""
  use-syslog: no
  do-daemonize: no
  verbosity: 1
  module-config: "iterator"
  interface: 127.0.0.1@%[2]d
  interface: 127.0.0.1@%[3]d
  interface: 127.0.0.1@%[4]d
  tls-port: %[3]d
  https-port: %[4]d
  tls-service-pem: %[5]q
  tls-service-key: %[6]q
  so-rcvbuf: 0
  so-sndbuf: 0
  local-zone: "." refuse
  local-zone: "example." static
  local-data: "example. 300 IN SOA ns.example. host.example. 1 2 3 4 300"
%[7]sremote-control:
  control-enable: no
`, dir, plain, secure, web, certFile, keyFile, local.String())
		path := filepath.Join(dir, "unbound.conf")
		if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.Command(program, "-d", "-c", path)
	})
	return plain, secure, web, rootsFile
}

// dnsmasq starts one and returns its port.
func dnsmasq(t *testing.T) (port uint16) {
	t.Helper()
	program := testenv.Tool(t, "dnsmasq")
	start(t, "started, version", func() *exec.Cmd {
		port = freePort(t)
		args := []string{
			"--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--log-facility=-", "--user=",
			"--no-resolv", "--no-hosts", "--listen-address=127.0.0.1", "--bind-interfaces", "--local=/example/",
			fmt.Sprintf("--port=%d", port), "--local-ttl=300",
			"--host-record=host.example,192.0.2.1,2001:db8::1", "--host-record=six.example,2001:db8::6",
			"--cname=alias.example,host.example",
		}
		for i := range 100 {
			args = append(args, fmt.Sprintf("--host-record=many.example,2001:db8:1::%x", i+1))
		}
		return exec.Command(program, args...)
	})
	return port
}

// freePort returns a port that was free for UDP and TCP just now.
func freePort(t *testing.T) uint16 {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p, err := net.ListenPacket("udp", l.Addr().String())
		_ = l.Close()
		if err == nil {
			_ = p.Close()
			return l.Addr().(*net.TCPAddr).AddrPort().Port()
		}
	}
	t.Fatal("no port is free for both UDP and TCP")
	return 0
}

// start starts a server that says when it is ready, and stops it when the test ends. Someone else may take a port before
// the server does; then it is started anew, on other ones.
func start(t *testing.T, ready string, command func() *exec.Cmd) {
	t.Helper()
	var output string
	for range 3 {
		cmd := command()
		var err error
		if output, err = startOnce(t, cmd, ready); err == nil {
			return
		}
	}
	t.Fatalf("the server does not start:\n%s", output)
}

func startOnce(t *testing.T, cmd *exec.Cmd, ready string) (output string, err error) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	_ = r.SetReadDeadline(time.Now().Add(patience))
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		output += lines.Text() + "\n"
		if strings.Contains(lines.Text(), ready) {
			stopAtEnd(t, cmd, r)
			return output, nil
		}
	}
	_ = r.Close()
	_ = cmd.Process.Kill()
	return output, errors.Join(errors.New("not ready"), cmd.Wait())
}

// stopAtEnd reads what the server says, so that it never waits for that, and stops it.
func stopAtEnd(t *testing.T, cmd *exec.Cmd, output *os.File) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		_ = output.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, output)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		<-read
		_ = output.Close()
	})
}

// checkZone looks the names of the zone up.
func checkZone(t *testing.T, text string) {
	t.Run(text, func(t *testing.T) {
		r := resolver(t, "%s", text+steady)
		found(t, r, "ip", "host.example", "2001:db8::1 192.0.2.1")
		found(t, r, "ip6", "Six.Example.", "2001:db8::6")
		found(t, r, "ip", "alias.example", "2001:db8::1 192.0.2.1")
		found(t, r, "ip", "localhost", "::1 127.0.0.1")
		if got, err := lookUp(t, r, "ip6", "many.example"); err != nil || len(strings.Fields(got)) != 100 {
			t.Errorf("a name with 100 addresses has %s, %v", got, err)
		}
		var dns *net.DNSError
		for _, test := range []struct{ network, host, message string }{
			{"ip4", "six.example", "the name has no IPv4 address"},
			{"ip6", "gone.example", "no such host"},
		} {
			got, err := lookUp(t, r, test.network, test.host)
			if !errors.As(err, &dns) || !dns.IsNotFound || dns.Err != test.message {
				t.Errorf("%s has %s, %v; want %s", test.host, got, err, test.message)
			}
		}
		got, err := lookUp(t, r, "ip6", "host.elsewhere")
		if !errors.As(err, &dns) || dns.IsNotFound || !dns.IsTemporary || !strings.Contains(dns.Err, "REFUSED") {
			t.Errorf("a name of others has %s, %v", got, err)
		}
	})
}

// Unbound serves all four transports.
func TestUnbound(t *testing.T) {
	plain, secure, web, roots := unbound(t)
	file := grammar.Quote(roots)
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d", plain))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:mixCase=yes", plain))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:tcp", plain))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s", secure, file))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:tls:trustRoots=%s:serverName=dns.example", secure, file))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:https:trustRoots=%s", web, file))
	checkZone(t, fmt.Sprintf("dns:transport=https:serverName=dns.example:trustRoots=%s:via={tcp:127.0.0.1:%d}", file, web))
}

// Dnsmasq serves UDP and TCP.
func TestDnsmasq(t *testing.T) {
	port := dnsmasq(t)
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d", port))
	checkZone(t, fmt.Sprintf("dns:127.0.0.1:%d:tcp", port))
}
