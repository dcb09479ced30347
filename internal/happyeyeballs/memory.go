package happyeyeballs

import (
	linked "container/list"
	"net/netip"
	"sync"
	"time"
)

// Outcome is what an engine remembers of an address.
type Outcome uint8

// The outcomes.
const (
	Unknown Outcome = iota
	Worked          // it won a dial
	Failed          // it refused, hung, or failed a handshake
)

// String is "worked", "failed" or empty.
func (o Outcome) String() string { return [...]string{"", "worked", "failed"}[min(o, Failed)] }

const (
	memoryLife = 10 * time.Minute
	memorySize = 1024
)

// memory keeps outcomes by destination. A nil memory knows nothing and learns nothing.
//
// The entries stand in a list by age, so that the oldest goes, in constant time, when there are too many or when its
// life is over. That an address worked is believed for ten minutes from the first time on, however often it is
// confirmed: then the plain order has its turn again, as the draft wants it (clients with different histories converge).
// An entry counts only while the host would send from the same source address: another one means another network.
type memory struct {
	mu      sync.Mutex
	byAge   linked.List // of *record, oldest first
	records map[netip.AddrPort]*linked.Element
}

type record struct {
	dst     netip.AddrPort
	src     netip.Addr
	since   time.Time
	outcome Outcome
	connect time.Duration
}

func newMemory() *memory { return &memory{records: make(map[netip.AddrPort]*linked.Element)} }

// recall returns what is known of dst when it is reached from src.
func (m *memory) recall(dst netip.AddrPort, src netip.Addr) (Outcome, time.Duration) {
	if m == nil {
		return Unknown, 0
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(time.Now())
	el, ok := m.records[dst]
	if !ok || el.Value.(*record).src != src {
		return Unknown, 0
	}
	r := el.Value.(*record)
	return r.outcome, r.connect
}

// hint is what recall would say if the source were the same. A source costs system calls.
func (m *memory) hint(dst netip.AddrPort) Outcome {
	if m == nil {
		return Unknown
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(time.Now())
	if el, ok := m.records[dst]; ok {
		return el.Value.(*record).outcome
	}
	return Unknown
}

// learn replaces what is known of r.dst.
func (m *memory) learn(r record) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	r.since = time.Now()
	m.expire(r.since)
	if el, ok := m.records[r.dst]; ok {
		old := el.Value.(*record)
		if old.outcome == Worked && r.outcome == Worked && old.src == r.src {
			old.connect = r.connect
			return
		}
		m.forget(el)
	}
	if m.byAge.Len() >= memorySize {
		m.forget(m.byAge.Front())
	}
	m.records[r.dst] = m.byAge.PushBack(&r)
}

func (m *memory) expire(now time.Time) {
	for el := m.byAge.Front(); el != nil && now.Sub(el.Value.(*record).since) >= memoryLife; el = m.byAge.Front() {
		m.forget(el)
	}
}

func (m *memory) forget(el *linked.Element) {
	delete(m.records, el.Value.(*record).dst)
	m.byAge.Remove(el)
}
