package external_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
)

// An upgrade under load breaks nothing: neither what is open, nor what is under way.
func TestAnUpgradeUnderLoadBreaksNothing(t *testing.T) {
	path := install(t, "many")
	check(t, external.Lock(path))
	p, err := external.Open(path)
	check(t, err)
	defer p.Close()
	r, err := registry.New(p.Plugins()...)
	check(t, err)
	ln := echo(t)
	s := "xor:" + clientOf("tcp4", ln)
	old := dial(t, r, s)
	first := p.PID()

	c, err := r.NewClient(s)
	check(t, err)
	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 2 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				conn, err := c.Dial(within(t))
				if err != nil {
					t.Error(err)
					return
				}
				if err := exchange(conn, "load"); err != nil {
					t.Error(err)
				}
				conn.Close()
			}
		})
	}
	pids := map[int]bool{first: true}
	for range 2 {
		// Another file at the same path, as an upgrade makes it.
		check(t, os.Rename(path, path+"-old"))
		copyFile(t, path+"-old", path, 0o755)
		check(t, os.Remove(path+"-old"))
		check(t, external.Lock(path))
		check(t, p.Restart(within(t)))
		pids[p.PID()] = true
	}
	close(stop)
	load.Wait()
	if len(pids) != 3 {
		t.Errorf("the processes were %v", pids)
	}
	check(t, exchange(old, "still open"))
	if !alive(first) {
		t.Error("the first process has ended before what is open in it")
	}
	old.Close()
	await(t, func() bool { return !alive(first) }, "the first process lives on")
}

func exchange(conn io.ReadWriter, text string) error {
	if _, err := io.WriteString(conn, text); err != nil {
		return err
	}
	b := make([]byte, len(text))
	if _, err := io.ReadFull(conn, b); err != nil {
		return err
	}
	if string(b) != text {
		return errors.New("got " + string(b))
	}
	return nil
}

func TestAnUpgradeThatIsNotRightLeavesWhatIsThere(t *testing.T) {
	path := install(t, "tcp")
	check(t, external.Lock(path))
	p, err := external.Open(path)
	check(t, err)
	defer p.Close()
	r, err := registry.New(p.Plugins()...)
	check(t, err)
	dial(t, r, clientOf("tcp4", echo(t)))
	pid := p.PID()

	var sum *external.ChecksumError
	check(t, os.Rename(path, path+"-old"))
	check(t, os.WriteFile(path, []byte("#!/bin/sh\nexit 1\n"), 0o755))
	if err := p.Restart(within(t)); !errors.As(err, &sum) {
		t.Errorf("another program: %v", err)
	}
	// The test program decides by its name what it serves.
	check(t, os.Remove(path))
	check(t, os.Rename(path+"-old", filepath.Join(filepath.Dir(path), "endpoint-plugin-many")))
	check(t, os.Symlink("endpoint-plugin-many", path))
	check(t, p.Restart(within(t))) // a link within the directory, to the same file
	if p.PID() == pid {
		t.Error("it was not restarted")
	}
	p.Close()
	if err := p.Restart(within(t)); !errors.Is(err, external.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}
