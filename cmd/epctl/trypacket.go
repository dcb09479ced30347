package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/registry"
)

const (
	tryDatagrams = 16
	resendAfter  = 300 * time.Millisecond // a datagram may be lost, on a loaded machine even on loopback
)

// packetServer binds and tries each address that it is bound to.
func (t *trial) packetServer(ctx context.Context, a *app, s string) error {
	server, err := a.registry.NewPacketServer(s)
	if err != nil {
		return err
	}
	_, layer, _ := a.registry.Build(s, registry.RolePacketServer)
	conn, err := server.ListenPacket(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if joined, ok := conn.(*multicast.Conn); ok {
		return t.groups(ctx, a, s, layer, joined)
	}
	var failures []error
	for _, addr := range addressesOf(conn.LocalAddr(), conn) {
		failures = append(failures, t.packets(ctx, a, s, layer, addr, conn))
	}
	return errors.Join(failures...)
}

// packets tries one address of a datagram socket.
func (t *trial) packets(ctx context.Context, a *app, s string, layer *registry.Layer, addr net.Addr, server net.PacketConn) error {
	client, err := newDeriver(a.registry, s, addr).client(layer)
	if err != nil {
		at := &attempt{Listening: addressText(addr), Options: tryOptions{Listener: settingsOf(server)}}
		t.Tries = append(t.Tries, at)
		return at.fail(err)
	}
	at := t.attempt(client, a)
	at.Listening, at.Options.Listener = addressText(addr), settingsOf(server)
	conn, err := at.dial(ctx, a, client, registry.RolePacketClient)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	at.Options.Client = settingsOf(conn)
	return at.fail(at.datagrams(ctx, conn, server))
}

// datagrams sends some of growing length to the server, and an answer to each.
func (at *attempt) datagrams(ctx context.Context, conn net.Conn, server net.PacketConn) error {
	var up, down time.Duration
	total := 0
	for i := range tryDatagrams {
		question, answer := payload(1, i), payload(2, i)
		var from net.Addr
		start := time.Now()
		err := deliver(ctx, question, func(p []byte) error {
			_, err := conn.Write(p)
			return err
		}, server.SetReadDeadline, func(p []byte) (n int, err error) {
			n, from, err = server.ReadFrom(p)
			return n, err
		})
		if err != nil {
			return fmt.Errorf("datagram %d to the server: %w", i+1, err)
		}
		up, start = up+time.Since(start), time.Now()
		err = deliver(ctx, answer, func(p []byte) error {
			_, err := server.WriteTo(p, from)
			return err
		}, conn.SetReadDeadline, conn.Read)
		if err != nil {
			return fmt.Errorf("datagram %d to the client: %w", i+1, err)
		}
		down, total = down+time.Since(start), total+len(question)
	}
	at.ToServer, at.ToClient = newTransfer(total, tryDatagrams, up), newTransfer(total, tryDatagrams, down)
	return nil
}

// payload is the i-th datagram of a direction.
func payload(direction byte, i int) []byte {
	return append([]byte{direction, byte(i)}, bytes.Repeat([]byte{direction<<6 | byte(i)}, 75*i)...)
}

// deliver sends a datagram, again where it does not come for a while, until it has come. Others that come meanwhile are
// late copies of earlier ones.
func deliver(ctx context.Context, p []byte, send func([]byte) error, deadline func(time.Time) error, read func([]byte) (int, error)) error {
	buffer := make([]byte, mostDatagram)
	for ctx.Err() == nil {
		if err := send(p); err != nil {
			return endOr(ctx, err)
		}
		if err := deadline(time.Now().Add(resendAfter)); err != nil {
			return endOr(ctx, err)
		}
		for {
			n, err := read(buffer)
			var timeout net.Error
			if errors.As(err, &timeout) && timeout.Timeout() {
				break
			}
			if err != nil {
				return endOr(ctx, err)
			}
			if bytes.Equal(buffer[:n], p) {
				return nil
			}
		}
	}
	return context.Cause(ctx)
}

// endOr returns why ctx ended, because of which a socket was closed, or else err.
func endOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
