package dnsclient

import (
	"container/list"
	"time"
)

const (
	// An answer is kept for its time to live, which a server may set to years.
	maxTTL = 24 * time.Hour
	// RFC 2308 section 5: one to three hours have been found to work well for an answer that there is nothing.
	maxNegativeTTL = 3 * time.Hour
	// RFC 9520 section 3.2: a failure is to be kept for a second at least. More would only hide that it is over.
	failureTTL = time.Second
)

// A cache keeps the results that were used last. It is guarded by its client's lock.
type cache struct {
	size    int
	entries map[question]*list.Element
	order   *list.List // of *entry, used last first
}

type entry struct {
	q       question
	result  result
	expires time.Time
}

func newCache(size int) *cache {
	return &cache{size: size, entries: make(map[question]*list.Element), order: list.New()}
}

// anyType is the key of a name that does not exist.
func (q question) anyType() question { return question{name: q.name} }

// get returns what is known about q and not yet too old.
func (c *cache) get(q question, now time.Time) (result, bool) {
	for _, key := range []question{q, q.anyType()} {
		el := c.entries[key]
		if el == nil {
			continue
		}
		e := el.Value.(*entry)
		if now.Before(e.expires) {
			c.order.MoveToFront(el)
			return e.result, true
		}
		c.remove(el)
	}
	return result{}, false
}

// put keeps r until its time is over, or until it is the one that has been used the least lately and room is needed.
func (c *cache) put(q question, r result, now time.Time) {
	if c.size == 0 || r.ttl <= 0 {
		return
	}
	if r.nameless {
		q = q.anyType()
	}
	if el := c.entries[q]; el != nil {
		c.remove(el)
	}
	for c.order.Len() >= c.size {
		c.remove(c.order.Back())
	}
	c.entries[q] = c.order.PushFront(&entry{q, r, now.Add(r.ttl)})
}

func (c *cache) remove(el *list.Element) {
	delete(c.entries, el.Value.(*entry).q)
	c.order.Remove(el)
}
