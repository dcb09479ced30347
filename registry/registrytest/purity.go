package registrytest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// purity checks that building opens no descriptor, and reads and writes nothing, as far as the system tells it: Linux.
func (s *suite) purity(t *testing.T) {
	const builds = 64 // what the rest of the process does meanwhile is less than one call for each
	if _, ok := descriptors(); !ok {
		t.Skip("missing: /proc/self/fd")
	}
	for _, sp := range s.all() {
		before, _ := descriptors()
		calls := ioCalls()
		for range builds {
			_, _, _ = s.registry.Build(sp.text, sp.role)
		}
		calls = ioCalls() - calls
		after, _ := descriptors()
		if calls >= builds {
			rulePure.fail(t, "building %q reads or writes: %d calls in %d builds", sp.text, calls, builds)
		}
		if opened := diff(before, after); len(opened) > 0 {
			rulePure.fail(t, "building %q opens descriptors and leaves them open: %s", sp.text, summary(opened))
		}
	}
}

// descriptors returns what each open descriptor of the process refers to; false where the system does not tell.
func descriptors() (map[string]string, bool) {
	const dir = "/proc/self/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, false
	}
	open := make(map[string]string)
	for _, e := range entries {
		// What is gone by now was the descriptor of the directory itself; the runtime's own poller comes when it is
		// needed first.
		target, err := os.Readlink(dir + "/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") {
			open[e.Name()] = target
		}
	}
	return open, true
}

// diff lists what is in after and not in before.
func diff(before, after map[string]string) []string {
	var list []string
	for _, fd := range slices.Sorted(maps.Keys(after)) {
		if before[fd] != after[fd] {
			list = append(list, fd+" is "+after[fd])
		}
	}
	return list
}

func summary(list []string) string {
	const most = 4
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

// ioCalls returns how many calls to read and to write the process has made, 0 where the system does not tell.
func ioCalls() (calls int) {
	text, _ := os.ReadFile("/proc/self/io")
	for line := range strings.Lines(string(text)) {
		name, number, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if n, err := strconv.Atoi(number); err == nil && (name == "syscr" || name == "syscw") {
			calls += n
		}
	}
	return calls
}

// A leakWatch knows what was there before the plugin was used.
type leakWatch struct {
	goroutines  goleak.Option
	descriptors map[string]string
	patience    time.Duration
}

func (s *suite) watchLeaks() leakWatch {
	open, _ := descriptors()
	return leakWatch{goleak.IgnoreCurrent(), open, s.patience}
}

// check waits for what is on its way out.
func (w leakWatch) check(t *testing.T) {
	if err := goleak.Find(w.goroutines); err != nil {
		ruleLeak.fail(t, "%v", err)
	}
	deadline := time.Now().Add(w.patience)
	for {
		open, _ := descriptors()
		left := diff(w.descriptors, open)
		if len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			ruleLeak.fail(t, "descriptors are left open: %s", summary(left))
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}
