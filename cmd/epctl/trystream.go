package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/epctl/endpoint/internal/acceptloop"
	"github.com/epctl/endpoint/registry"
)

// trySize is what goes each way, in bytes.
const trySize = 1 << 20

// server listens and tries each address that it listens on.
func (t *trial) server(ctx context.Context, a *app, s string) error {
	server, err := a.registry.NewServer(s)
	if err != nil {
		return err
	}
	_, layer, _ := a.registry.Build(s, registry.RoleServer)
	ln, err := server.Listen(ctx)
	if err != nil {
		return err
	}
	accepting, stop := context.WithCancel(ctx)
	accepted, ended := make(chan net.Conn), make(chan struct{})
	go func() {
		defer close(ended)
		_ = acceptloop.Run(accepting, ln, func(conn net.Conn) {
			select {
			case accepted <- conn:
			case <-accepting.Done():
				_ = conn.Close()
			}
		}, nil)
	}()
	defer func() { stop(); <-ended }()
	var failures []error
	for _, addr := range addressesOf(ln.Addr(), ln) {
		failures = append(failures, t.stream(ctx, a, s, layer, addr, ln, accepted))
	}
	return errors.Join(failures...)
}

// stream tries one address of a listener.
func (t *trial) stream(ctx context.Context, a *app, s string, layer *registry.Layer, addr net.Addr, ln net.Listener, accepted <-chan net.Conn) error {
	d := t.deriver(a, s, addr)
	client, err := d.client(layer)
	if err != nil {
		at := &attempt{Listening: addressText(addr), Options: tryOptions{Listener: settingsOf(ln)}}
		t.Tries = append(t.Tries, at)
		return at.fail(err)
	}
	at := t.attempt(client, a)
	at.Trusted = d.trusted
	at.Listening, at.Options.Listener = addressText(addr), settingsOf(ln)
	conn, err := at.dial(ctx, a, client, registry.RoleClient)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	return at.fail(at.exchange(ctx, conn, accepted))
}

// exchange sends to the server and then back. The client sends before its connection is accepted, for which some
// listeners wait.
func (at *attempt) exchange(ctx context.Context, conn net.Conn, accepted <-chan net.Conn) error {
	up, down := pattern(1), pattern(2)
	start := time.Now()
	sent := send(conn, up)
	peer, err := accept(ctx, conn, accepted, sent)
	if err != nil {
		return err
	}
	defer peer.Close()
	defer context.AfterFunc(ctx, func() { _ = peer.Close() })()
	at.Options.Client, at.Options.Accepted = settingsOf(conn), settingsOf(peer)
	upHalf, err := receive(peer, up, sent)
	if err != nil {
		return fmt.Errorf("to the server: %w", err)
	}
	at.ToServer = newTransfer(len(up), 0, time.Since(start))
	start = time.Now()
	downHalf, err := receive(conn, down, send(peer, down))
	if err != nil {
		return fmt.Errorf("to the client: %w", err)
	}
	at.ToClient = newTransfer(len(down), 0, time.Since(start))
	at.HalfClose = upHalf && downHalf
	return nil
}

// accept waits for the connection that the server accepts. Where nothing can be sent any more, none comes.
func accept(ctx context.Context, conn net.Conn, accepted <-chan net.Conn, sent chan sending) (net.Conn, error) {
	select {
	case peer := <-accepted:
		return peer, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case s := <-sent:
		if s.err != nil {
			return nil, fmt.Errorf("to the server: %w", refusal(conn, s.err))
		}
		sent <- s // for who receives
	}
	select {
	case peer := <-accepted:
		return peer, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// pattern is bytes that no other pattern has.
func pattern(seed byte) []byte {
	p := make([]byte, trySize)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(p) // never fails
	return p
}

// A sending is how a send ended, and whether the receiver is to see the end of the stream.
type sending struct {
	half bool
	err  error
}

func send(conn net.Conn, p []byte) chan sending {
	done := make(chan sending, 1)
	go func() {
		_, err := conn.Write(p)
		done <- sending{err == nil && closeWrite(conn), err}
	}()
	return done
}

// receive compares what comes with want, and tells whether the stream ended behind it, as it must where the sender has
// closed its side.
func receive(conn net.Conn, want []byte, sent <-chan sending) (half bool, err error) {
	buffer := make([]byte, 64<<10)
	for at := 0; at < len(want); {
		n, err := conn.Read(buffer[:min(len(buffer), len(want)-at)])
		if !bytes.Equal(buffer[:n], want[at:at+n]) {
			return false, fmt.Errorf("other bytes came than were sent, in those from %d to %d", at, at+n)
		}
		at += n
		if err != nil && at < len(want) {
			return false, fmt.Errorf("after %d of %d bytes: %w", at, len(want), err)
		}
	}
	s := <-sent
	if s.err != nil || !s.half {
		return false, s.err
	}
	switch n, err := conn.Read(buffer[:1]); {
	case n > 0:
		return false, errors.New("more bytes came than were sent")
	case !errors.Is(err, io.EOF):
		return false, fmt.Errorf("the end of the stream did not come: %w", err)
	}
	return true, nil
}
