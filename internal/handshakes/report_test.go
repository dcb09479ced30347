package handshakes_test

import (
	"errors"
	"net"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/epctl/endpoint/internal/handshakes"
)

// LI-04
func TestFailedHandshakesAreReportedAtOnceAndThenRarely(t *testing.T) {
	var told reports
	in(t, handshakes.Config{Report: told.add}, func(t *testing.T, p *peers, _ net.Listener) {
		for range 25 {
			<-p.connect(t, "-").gone
			time.Sleep(time.Second)
		}
		all := told.all()
		if len(all) != 3 || all[0].Count != 1 || all[1].Count != 10 || all[2].Count != 10 {
			t.Fatalf("25 failures in 25 s, reported %v", all)
		}
		for _, f := range all {
			if f.Op != "handshake" || f.Err != errWrong || f.Remote == nil {
				t.Errorf("reported %+v", f)
			}
		}
	})
}

// LI-01
func TestFailedAcceptsAreSurvivedAndReported(t *testing.T) {
	var told reports
	in(t, handshakes.Config{Report: told.add}, func(t *testing.T, p *peers, ln net.Listener) {
		<-p.connect(t, "-").gone // does not use up the report of the accepts
		synctest.Wait()
		for range 15 {
			p.fail <- &net.OpError{Op: "accept", Err: syscall.EMFILE}
		}
		<-p.connect(t, "-").gone // the Accept that waits
		p.connect(t, "+", "g")
		start := time.Now()
		accept(t, ln)
		if d := time.Since(start); d < 5*time.Second || d > 10*time.Second {
			t.Errorf("accepted after %v", d)
		}
		all := told.all()
		if len(all) != 2 {
			t.Fatalf("reported %v", all)
		}
		if f := all[1]; f.Op != "accept" || !errors.Is(f.Err, syscall.EMFILE) || f.Count != 1 || f.Delay != 5*time.Millisecond || f.Remote != nil {
			t.Errorf("reported %+v", f)
		}
	})
}

func TestAReportThatTakesLongDelaysNobody(t *testing.T) {
	release := make(chan struct{})
	counts := make(chan int, 10)
	c := handshakes.Config{Report: func(f handshakes.Failure) {
		counts <- f.Count
		<-release
	}}
	synctest.Test(t, func(t *testing.T) {
		release = make(chan struct{})
		p := newPeers()
		c.Upgrade = password
		ln := handshakes.Listen(t.Context(), p, c)
		p.fail <- syscall.EMFILE
		for range 30 {
			p.connect(t, "-")
			time.Sleep(time.Second)
		}
		start := time.Now()
		p.connect(t, "+", "g")
		if accept(t, ln); time.Since(start) != 0 {
			t.Errorf("accepted after %v", time.Since(start))
		}
		if len(counts) != 2 {
			t.Errorf("%d reports at once, want one for each kind", len(counts))
		}
		close(release)
		synctest.Wait()
		p.connect(t, "-")
		synctest.Wait()
		got := []int{<-counts, <-counts, <-counts}
		if !slices.Equal(got, []int{1, 1, 30}) {
			t.Errorf("reports count %v: what happened during a report belongs in the next one", got)
		}
		_ = ln.Close()
	})
}

func TestNobodyNeedListenToReports(t *testing.T) {
	in(t, handshakes.Config{}, func(t *testing.T, p *peers, ln net.Listener) {
		p.fail <- syscall.EMFILE
		<-p.connect(t, "-").gone
		p.connect(t, "+", "g")
		accept(t, ln)
	})
}
