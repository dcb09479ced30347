package starttls_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"testing"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/plugins/starttls"
)

// HE-08: dialogue and handshake are part of the race: an address that accepts and says nothing loses to the next.
func TestTheDialogueIsPartOfTheRace(t *testing.T) {
	s, port := besideSilence(t)
	conn, err := endpoint.Dial(within(t), fmt.Sprintf(
		"starttls:endpoint={hostname:localhost:%d:family=prefer6:attemptDelay=10ms:resolver={static:localhost=[::1,127.0.0.1]}}:proto=smtp:trustRoots=[%s]", port, s.roots))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.(*tls.Conn).RemoteAddr().(*net.TCPAddr).IP; got.To4() == nil {
		t.Errorf("connected to %v", got)
	}
}

// besideSilence is a service on 127.0.0.1, and on the same port of [::1] somebody who accepts and says nothing.
func besideSilence(t *testing.T) (s service, port int) {
	t.Helper()
	for range 16 {
		s = serve(t, "smtp", "")
		port = s.Addr().(*net.TCPAddr).Port
		if silent, err := net.Listen("tcp6", fmt.Sprintf("[::1]:%d", port)); err == nil {
			t.Cleanup(func() { _ = silent.Close() })
			return s, port
		}
	}
	t.Fatal("no port is free in both families")
	return service{}, 0
}

// What fails before anything is said is told so: a file that can't be read, a port where nobody listens.
func TestTheConnectStage(t *testing.T) {
	_, _, ca := certtest.WritePair(t, "localhost")
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := ln.Addr().(*net.TCPAddr).Port
	_ = ln.Close()
	for roots, cause := range map[string]func(error) bool{
		"/nonexistent.pem": func(err error) bool { return errors.Is(err, fs.ErrNotExist) },
		ca:                 func(err error) bool { return errors.As(err, new(*net.OpError)) },
	} {
		_, err := endpoint.Dial(within(t), fmt.Sprintf("starttls:{tcp:127.0.0.1:%d}:smtp:localhost:trustRoots=[%s]", port, roots))
		var failed *starttls.Error
		if !errors.As(err, &failed) || failed.Stage != starttls.StageConnect || !cause(err) {
			t.Errorf("%s: %v", roots, err)
		}
	}
}
