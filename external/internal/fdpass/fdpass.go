// Package fdpass moves open descriptors between two processes, each under the number of the request that it answers.
//
// The two ends of a line are sockets that keep the bounds of messages. A message has 16 bytes, big-endian, and up to
// 1024 bytes of text:
//
//	0     1 (version)
//	1     kind: 1 a descriptor, which the message carries
//	            2 what was opened has ended: told by the one who relays it, before the last byte is out
//	            3 what was opened is closed: told by the one who has it
//	2–7   0
//	8–15  the request's number
//	16–   kind 2: why it ended, in UTF-8; nothing if it ended well
//
// What breaks these rules breaks the line: a peer that can't count descriptors is not one to go on with. A message for a
// request that nobody waits for is no fault, as requests are given up; its descriptor is closed.
package fdpass

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	version = 1

	kindDescriptor = 1
	kindEnd        = 2
	kindClose      = 3

	headerSize = 16
	maxText    = 1024

	// A peer that reads no more for so long is as good as gone.
	sendTimeout = 5 * time.Second
)

// ErrClosed is why a wait ends whose line is closed.
var ErrClosed = errors.New("the other process is gone")

// ErrUnsupported says that the system has no way to pass descriptors.
var ErrUnsupported = errors.New("plugins as programs need a system that passes descriptors over unix sockets: this one does not")

// A Conn is one end of a line. Its methods may be called from any goroutine.
type Conn struct {
	socket *net.UnixConn
	done   chan struct{}

	mu      sync.Mutex
	tickets map[uint64]*Ticket       // of our requests
	relays  map[uint64]chan struct{} // of the other process's requests
	closed  bool
	cause   error
}

func newConn(socket *net.UnixConn) *Conn {
	return &Conn{socket: socket, done: make(chan struct{}), tickets: map[uint64]*Ticket{}, relays: map[uint64]chan struct{}{}}
}

// Done is closed when the line is of no use any more.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Open is how many waits there are, and how many things that the other process has opened here: relayed connections and
// listeners among them, as long as they are open.
func (c *Conn) Open() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.tickets) + len(c.relays)
}

// Close closes this end. Run returns, and so does every wait.
func (c *Conn) Close() error {
	c.fail(ErrClosed)
	return nil
}

func (c *Conn) fail(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed, c.cause = true, cause
	_ = c.socket.Close()
	close(c.done)
}

// Send passes the descriptor of conn, which stays open here.
func (c *Conn) Send(id uint64, conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var sent error
	err = raw.Control(func(fd uintptr) { sent = c.write(message{kind: kindDescriptor, id: id}, int(fd)) })
	return errors.Join(err, sent)
}

// End tells that what the request opened has ended, why if not well.
func (c *Conn) End(id uint64, reason string) error {
	return c.write(message{kind: kindEnd, id: id, text: reason}, -1)
}

// Closed tells that what our request opened is closed.
func (c *Conn) Closed(id uint64) error { return c.write(message{kind: kindClose, id: id}, -1) }

// Relay waits for the other process to close what its request id has opened; the channel is closed then. It ends with
// Unrelay.
func (c *Conn) Relay(id uint64) <-chan struct{} {
	closed := make(chan struct{})
	c.mu.Lock()
	defer c.mu.Unlock()
	c.relays[id] = closed
	return closed
}

// Unrelay ends the wait of Relay.
func (c *Conn) Unrelay(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.relays, id)
}

func (c *Conn) write(m message, fd int) error {
	if err := c.socket.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return err
	}
	return c.writeMessage(m.marshal(), fd)
}

// Run receives until the line is closed, and returns why it is.
func (c *Conn) Run() error {
	for {
		m, file, err := c.receive()
		taken := false
		if err == nil {
			taken, err = c.deliver(m, file)
		}
		if err == nil && !taken {
			err = c.Closed(m.id)
		}
		if err != nil {
			c.fail(err)
			return err
		}
	}
}

// deliver reports whether what came is taken: the other process must be told where a descriptor is not.
func (c *Conn) deliver(m message, file *os.File) (taken bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.tickets[m.id]
	switch {
	case m.kind == kindClose:
		if closed := c.relays[m.id]; closed != nil {
			delete(c.relays, m.id)
			close(closed)
		}
		return true, nil
	case t == nil:
		closeFile(file)
		return m.kind != kindDescriptor, nil
	case m.kind == kindEnd:
		return true, t.end(m.text)
	}
	select {
	case t.file <- file:
		return true, nil
	default:
		closeFile(file)
		return true, fmt.Errorf("a second descriptor came for request %d", m.id)
	}
}

func closeFile(f *os.File) {
	if f != nil {
		_ = f.Close()
	}
}

// A message is one that keeps the rules.
type message struct {
	kind byte
	id   uint64
	text string
}

func (m message) marshal() []byte {
	b := make([]byte, headerSize, headerSize+len(m.text))
	b[0], b[1] = version, m.kind
	binary.BigEndian.PutUint64(b[8:], m.id)
	return append(b, m.text[:min(len(m.text), maxText)]...)
}

// parse checks a message that came with so many descriptors.
func parse(b []byte, descriptors int) (message, error) {
	if len(b) < headerSize || len(b) > headerSize+maxText || b[0] != version || [6]byte(b[2:8]) != [6]byte{} {
		return message{}, fmt.Errorf("a message of %d bytes on the line for descriptors is not of version %d", len(b), version)
	}
	m := message{kind: b[1], id: binary.BigEndian.Uint64(b[8:]), text: string(b[headerSize:])}
	switch {
	case m.kind == kindDescriptor && descriptors == 1 && m.text == "":
	case m.kind == kindEnd && descriptors == 0:
	case m.kind == kindClose && descriptors == 0 && m.text == "":
	default:
		return message{}, fmt.Errorf("a message of kind %d came with %d descriptors and %d bytes of text", m.kind, descriptors, len(m.text))
	}
	return m, nil
}

// A Ticket is the wait for what a request opens, and for its end.
type Ticket struct {
	conn  *Conn
	id    uint64
	file  chan *os.File
	ended chan struct{}
	why   string
}

// Expect begins to wait for request id. It comes before the request is made, and ends with Close.
func (c *Conn) Expect(id uint64) *Ticket {
	t := &Ticket{conn: c, id: id, file: make(chan *os.File, 1), ended: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tickets[id] = t
	return t
}

// File waits for the descriptor.
func (t *Ticket) File(ctx context.Context) (*os.File, error) {
	select {
	case f := <-t.file:
		return f, nil
	default:
	}
	select {
	case f := <-t.file:
		return f, nil
	case <-t.conn.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Ended is closed when the end was told.
func (t *Ticket) Ended() <-chan struct{} { return t.ended }

// Lost is closed when the line is: then no end will be told that was not told yet.
func (t *Ticket) Lost() <-chan struct{} { return t.conn.done }

// Why tells after Ended why it ended; "" if it ended well.
func (t *Ticket) Why() string { return t.why }

// Close ends the wait. A descriptor that nobody took is closed.
func (t *Ticket) Close() {
	if t.remove() {
		_ = t.conn.Closed(t.id) // fails where the line does, and then it is known anyway
	}
}

// remove reports whether there was a descriptor.
func (t *Ticket) remove() bool {
	t.conn.mu.Lock()
	defer t.conn.mu.Unlock()
	delete(t.conn.tickets, t.id)
	select {
	case f := <-t.file:
		closeFile(f)
		return true
	default:
		return false
	}
}

func (t *Ticket) end(why string) error {
	select {
	case <-t.ended:
		return fmt.Errorf("request %d ended twice", t.id)
	default:
	}
	t.why = why
	close(t.ended)
	return nil
}

// ID is the number of the request.
func (t *Ticket) ID() uint64 { return t.id }
