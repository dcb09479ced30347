// Package compress is a plugin of an endpoint that compresses what goes through another one.
package compress

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/epctl/endpoint/registry"
)

// Plugin is the wrapper compress.
var Plugin = registry.Plugin{
	Name:   "compress",
	Doc:    "Compresses what goes through another endpoint.",
	Client: registry.For(newClient),
	Server: registry.For(newServer),
}

type clientOptions struct {
	Endpoint registry.Client `ep:"endpoint,required,rest" doc:"what the compressed bytes go through"`
	Level    int             `ep:"level" default:"1" doc:"how hard to try, from 1, the fastest, to 9"`
}

type serverOptions struct {
	Endpoint registry.Server `ep:"endpoint,required,rest" doc:"what the compressed bytes come through"`
	Level    int             `ep:"level" default:"1" doc:"how hard to try, from 1, the fastest, to 9"`
}

func newClient(o clientOptions) (registry.Client, error) {
	return client(o), checkLevel(o.Level)
}

func newServer(o serverOptions) (registry.Server, error) {
	return server(o), checkLevel(o.Level)
}

func checkLevel(level int) error {
	if level < flate.BestSpeed || level > flate.BestCompression {
		return registry.Bad("level", "%d is not between 1 and 9", level)
	}
	return nil
}

type client clientOptions

func (c client) Dial(ctx context.Context) (net.Conn, error) {
	inner, err := c.Endpoint.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return newConn(inner, c.Level), nil
}

type server serverOptions

func (s server) Listen(ctx context.Context) (net.Listener, error) {
	ln, err := s.Endpoint.Listen(ctx)
	if err != nil {
		return nil, err
	}
	return listener{ln, s.Level}, nil
}

type listener struct {
	net.Listener
	level int
}

func (l listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return newConn(inner, l.level), nil
}

// What is written goes out in blocks: four bytes with the length of what follows, and a stream of RFC 1951.
const (
	headerSize = 4
	maxBlock   = 64 << 10 // bytes before they are compressed
)

var errBlock = errors.New("compress: what comes is not compressed in the way that was agreed")

// A conn is a compressed connection.
type conn struct {
	net.Conn

	reading  sync.Mutex
	incoming []byte // what has come of a block
	plain    bytes.Reader
	inflater io.ReadCloser

	writing  sync.Mutex
	deflater *flate.Writer
	block    bytes.Buffer // what of a block is not out yet
}

func newConn(inner net.Conn, level int) net.Conn {
	c := &conn{Conn: inner, inflater: flate.NewReader(nil)}
	c.deflater, _ = flate.NewWriter(nil, level) // the level was checked
	if half, ok := inner.(halfCloser); ok {
		return halfConn{c, half}
	}
	return c
}

type halfCloser interface{ CloseWrite() error }

// A halfConn is one whose directions can be closed by themselves: blocks end with each write, so there is nothing to add.
type halfConn struct {
	*conn
	halfCloser
}

func (c *conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	written := 0
	for {
		// A deadline may have left a part of a block here, without which the next means nothing.
		if err := c.flush(); err != nil {
			return written, err
		}
		if len(b) == 0 {
			return written, nil
		}
		part := b[:min(len(b), maxBlock)]
		c.fill(part)
		whole := c.block.Len()
		err := c.flush()
		if err != nil && c.block.Len() == whole {
			c.block.Reset() // nothing of it is out
			return written, err
		}
		written += len(part)
		if b = b[len(part):]; err != nil {
			return written, err
		}
	}
}

func (c *conn) fill(part []byte) {
	c.block.Write(make([]byte, headerSize))
	c.deflater.Reset(&c.block)
	// A bytes.Buffer fails never.
	_, _ = c.deflater.Write(part)
	_ = c.deflater.Close()
	block := c.block.Bytes()
	binary.BigEndian.PutUint32(block, uint32(len(block)-headerSize))
}

func (c *conn) flush() error {
	_, err := c.block.WriteTo(c.Conn)
	return err
}

func (c *conn) Read(b []byte) (int, error) {
	c.reading.Lock()
	defer c.reading.Unlock()
	if len(b) == 0 {
		return 0, nil
	}
	for c.plain.Len() == 0 {
		if err := c.readBlock(); err != nil {
			return 0, err
		}
	}
	return c.plain.Read(b)
}

// readBlock reads a block. What a deadline interrupts goes on with the next call.
func (c *conn) readBlock() error {
	if err := c.fetch(headerSize); err != nil {
		return err
	}
	size := binary.BigEndian.Uint32(c.incoming)
	if size > 2*maxBlock {
		return errBlock
	}
	if err := c.fetch(headerSize + int(size)); err != nil {
		return err
	}
	_ = c.inflater.(flate.Resetter).Reset(bytes.NewReader(c.incoming[headerSize:]), nil)
	plain, err := io.ReadAll(io.LimitReader(c.inflater, maxBlock+1))
	if err != nil || len(plain) > maxBlock {
		return errBlock
	}
	c.incoming = c.incoming[:0]
	c.plain.Reset(plain)
	return nil
}

// fetch reads until so many bytes of a block are there.
func (c *conn) fetch(size int) error {
	for len(c.incoming) < size {
		have := len(c.incoming)
		c.incoming = append(c.incoming, make([]byte, size-have)...)
		n, err := c.Conn.Read(c.incoming[have:])
		c.incoming = c.incoming[:have+n]
		if n > 0 {
			continue
		}
		if err == io.EOF && have > 0 {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}
