package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/epctl/endpoint/internal/acceptloop"
)

// serve shows or echoes one connection until the peer has closed its side.
func (s *streamListener) serve(ctx context.Context, conn net.Conn) error {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	peer := address(conn.RemoteAddr())
	_ = s.err.print("connection from " + peer + " to " + address(conn.LocalAddr()) + "\n")
	n, err := s.take(conn)
	if ctx.Err() != nil {
		return nil // we closed it
	}
	_ = s.err.print(fmt.Sprintf("connection from %s ended after %d bytes\n", peer, n))
	return err
}

// take reads all that comes and returns its length.
func (s *streamListener) take(conn net.Conn) (int64, error) {
	count := &counter{r: conn}
	var err error
	switch {
	case s.Echo:
		err = pump(conn, count)
		closeWrite(conn)
	case s.JSON:
		err = s.objects(conn, count)
	default:
		err = copyShown(s.out, count, s.Raw)
	}
	return count.n, err
}

// objects writes an object for each piece as it comes.
func (s *streamListener) objects(conn net.Conn, from io.Reader) error {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p := packet{from: conn.RemoteAddr(), to: conn.LocalAddr(), data: buffer[:n]}
			if err := s.out.json(p.object()); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// failure tells of accepts that failed.
func (s *streamListener) failure(f acceptloop.Failure) {
	_ = s.err.print(fmt.Sprintf("accepting failed, next try after %s: %s\n", elapsed(f.Delay), printable(f.Err.Error())))
}

type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// A packet is what came at once, and where it came from and went to as far as that is known.
type packet struct {
	from, to net.Addr
	device   string // the interface that it came in on
	data     []byte
}

type packetObject struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Interface string `json:"interface"`
	Length    int    `json:"length"`
	Data      string `json:"data"`
}

func (p packet) object() packetObject {
	return packetObject{
		From: addressText(p.from), To: addressText(p.to), Interface: p.device,
		Length: len(p.data), Data: base64.StdEncoding.EncodeToString(p.data),
	}
}

// line is the packet for people.
func (p packet) line(raw bool) string {
	head := address(p.from) + " to " + address(p.to)
	if p.device != "" {
		head += " on " + printable(p.device)
	}
	text := string(p.data)
	if !raw {
		text = printable(text)
	}
	return fmt.Sprintf("%s, %d bytes: %s\n", head, len(p.data), text)
}
