package certs_test

import (
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/certs"
	"github.com/epctl/endpoint/internal/certs/certtest"
)

// Handshakes, loads and inspections go on while certificates are replaced, and a certificate is there all the time.
func TestAllAtOnce(t *testing.T) {
	authority := certtest.NewAuthority(t)
	dir := t.TempDir()
	issue(t, authority, dir, "0.example")
	write(t, filepath.Join(dir, "ca.pem"), authority.PEM())
	s, r := certs.NewStore(dir), certs.NewRoots(filepath.Join(dir, "ca.pem"))
	w := watch(t, s)
	done := make(chan struct{})
	var users sync.WaitGroup
	for _, use := range []func() error{
		func() error { _, err := s.ForServer(hello("0.example")); return err },
		func() error {
			if loaded, err := s.Load(); len(loaded) == 0 {
				return err
			}
			return nil
		},
		func() error { s.Inspect(time.Now(), "0.example"); return nil },
		func() error { _, err := r.Pool(); return err },
		func() error { s.Watch(nil)(); return nil },
	} {
		users.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := use(); err != nil {
					t.Errorf("meanwhile: %v", err)
					return
				}
			}
		})
	}
	for _, name := range []string{"1.example", "2.example", "3.example"} {
		issue(t, authority, dir, name)
		w.waitForName(name)
	}
	close(done)
	users.Wait()
}
