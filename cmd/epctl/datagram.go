package main

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// mostDatagram is more than the payload of any datagram, in bytes.
const mostDatagram = 64 << 10

// datagrams sends the input, a line or all of it as a datagram, and shows those that come, until c.Replies have come or
// none came for c.Wait after the end of the input.
func (c *dialCmd) datagrams(a *app, conn net.Conn) error {
	var ended atomic.Bool
	sent := make(chan error, 1)
	go func() {
		err := c.send(a.stdin, conn)
		wait := c.Wait
		if err != nil {
			wait = 0
		}
		sent <- err
		ended.Store(true)
		_ = conn.SetReadDeadline(time.Now().Add(wait))
	}()
	received := c.receive(a.out, conn, &ended)
	select {
	case err := <-sent:
		return errors.Join(err, received)
	default:
		return received
	}
}

func (c *dialCmd) send(in io.Reader, conn net.Conn) error {
	if c.Datagram {
		// One byte too many makes the system say that it is too long.
		all, err := io.ReadAll(io.LimitReader(in, mostDatagram))
		if err == nil {
			_, err = conn.Write(all)
		}
		return err
	}
	for lines := newRecords(in, '\n'); ; {
		line, err := lines.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			_, err = io.WriteString(conn, line)
		}
		if err != nil {
			return err
		}
	}
}

func (c *dialCmd) receive(o *output, conn net.Conn, ended *atomic.Bool) error {
	buffer := make([]byte, mostDatagram)
	for came := 1; ; came++ {
		n, err := conn.Read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return nil
		case err != nil:
			return err
		}
		if err := o.print(c.datagramText(o, string(buffer[:n]))); err != nil {
			return err
		}
		switch {
		case came == c.Replies:
			return nil
		case ended.Load():
			_ = conn.SetReadDeadline(time.Now().Add(c.Wait))
		}
	}
}

// datagramText is a datagram as a line, or as it came.
func (c *dialCmd) datagramText(o *output, text string) string {
	switch {
	case c.Raw:
		return text
	case o.terminal:
		return printable(text) + "\n"
	}
	return strings.TrimSuffix(text, "\n") + "\n"
}
