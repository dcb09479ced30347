package alliface

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d deadline
		begin := time.Now()
		over := func(what string, want time.Duration) {
			t.Helper()
			select {
			case <-d.passed():
			case <-time.After(time.Hour):
			}
			if got := time.Since(begin); got != want {
				t.Errorf("%s: over after %s, want %s", what, got, want)
			}
			begin = time.Now()
		}
		over("none", time.Hour)
		d.set(begin.Add(time.Minute))
		over("in a minute", time.Minute)
		over("still over", 0)
		d.set(time.Time{})
		over("none again", time.Hour)
		d.set(begin.Add(-time.Second))
		over("in the past", 0)
		d.set(begin.Add(time.Second))
		waiting := d.passed()
		d.set(begin.Add(2 * time.Second)) // whoever waits is put off too
		<-waiting
		over("put off", 2*time.Second)
		d.set(begin.Add(time.Second))
		waiting = d.passed()
		d.set(begin)
		<-waiting
		over("at once", 0)
	})
}
