//go:build unix

package certs_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

func TestWhatIsNoRegularFileIsNotRead(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo.pem")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{fifo, "/dev/zero", dir} {
		_, err := certs.NewStore("", certs.Files{Certificate: path}).Load()
		refused(t, err, path, "not a regular file")
	}
	if _, err := certs.NewRoots(fifo).Pool(); err == nil {
		t.Error("a FIFO has roots")
	}

	certPEM, keyPEM := certtest.NewAuthority(t).Issue(certtest.Spec{Names: []string{"a.example"}})
	write(t, filepath.Join(dir, "pair.pem"), certPEM, keyPEM)
	if got := commonNames(mustLoad(t, certs.NewStore(dir))); got != "a.example" {
		t.Errorf("the directory has %q", got)
	}
}
