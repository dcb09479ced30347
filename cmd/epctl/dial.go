package main

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"github.com/epctl/endpoint/registry"
)

type dialCmd struct {
	String   string        `arg:"" name:"string" help:"Endpoint string of a client."`
	Role     roleFlag      `placeholder:"ROLE" help:"Dial it as a client or as a packet-client; otherwise as the first of them that it can be."`
	Timeout  time.Duration `placeholder:"DURATION" help:"Give up connecting after this time, such as 5s; otherwise the endpoint decides."`
	Datagram bool          `help:"Send the whole input as one datagram, not each line as one."`
	Wait     time.Duration `default:"1s" help:"How long to wait for datagrams once the input has ended."`
	Replies  int           `placeholder:"N" help:"End as soon as this many datagrams have come."`
	Raw      bool          `help:"Do not escape what comes, on a terminal either."`
	Trace    traceFlag     `help:"Tell on stderr what happens, as lines of text or with =json as JSON; where addresses were raced, text ends with a timeline."`
	SVG      string        `name:"svg" placeholder:"FILE" help:"Write the timeline as a picture to this file."`
}

func (c *dialCmd) Help() string {
	return "What stdin gives is sent, what comes is written to stdout. At the end of stdin the sending side of a stream is closed; when the peer closes its side, dial ends. A datagram endpoint sends each line of stdin as a datagram and writes each that comes as a line."
}

func (c *dialCmd) wanted() []registry.Role {
	return c.Role.or(registry.RoleClient, registry.RolePacketClient)
}

// Validate is called by kong.
func (c *dialCmd) Validate() error {
	return c.Role.among(registry.RoleClient, registry.RolePacketClient)
}

// Run connects, and copies until one side ends it.
func (c *dialCmd) Run(ctx context.Context, a *app) error {
	role, err := a.pick(c.String, c.wanted()...)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	traced, flush := a.traced(ctx, c.Trace)
	traced, picture := pictured(traced, c.Trace, c.SVG)
	conn, err := a.dial(traced, c.String, role, c.Timeout)
	picture.end(conn, err)
	flush()
	drawn := picture.draw(a)
	if err != nil {
		return errors.Join(signalOr(ctx, err), drawn)
	}
	defer conn.Close()
	if drawn != nil {
		return drawn
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if role == registry.RolePacketClient {
		return signalOr(ctx, c.datagrams(a, conn))
	}
	return signalOr(ctx, c.stream(a, conn))
}

// dial connects in the given role. A timeout of 0 sets no limit.
func (a *app) dial(ctx context.Context, s string, role registry.Role, timeout time.Duration) (net.Conn, error) {
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	if role == registry.RolePacketClient {
		client, err := a.registry.NewPacketClient(s)
		if err != nil {
			return nil, err
		}
		return client.DialPacket(ctx)
	}
	client, err := a.registry.NewClient(s)
	if err != nil {
		return nil, err
	}
	return client.Dial(ctx)
}

// signalOr returns the signal that ended ctx, because of which everything else failed, or else err.
func signalOr(ctx context.Context, err error) error {
	if cause, ok := context.Cause(ctx).(interrupted); ok {
		return cause
	}
	return err
}

// stream copies both ways until the peer has closed its side.
func (c *dialCmd) stream(a *app, conn net.Conn) error {
	sent := make(chan error, 1)
	go func() {
		err := pump(conn, a.stdin)
		if err == nil {
			closeWrite(conn)
		}
		sent <- err
	}()
	if err := copyShown(a.out, conn, c.Raw); err != nil {
		return err
	}
	select {
	case err := <-sent:
		return err
	default: // what is not sent yet, nobody will read
		return nil
	}
}

// closeWrite tells the peer that no more comes, where the connection can say so and stay open.
func closeWrite(conn net.Conn) bool {
	half, ok := conn.(interface{ CloseWrite() error })
	return ok && half.CloseWrite() == nil
}

// copyShown copies what a peer sends, escaped on a terminal unless raw.
func copyShown(o *output, from io.Reader, raw bool) error {
	if raw || !o.terminal {
		return pump(o, from)
	}
	e := &escaper{w: o}
	err := pump(e, from)
	if end := e.Close(); err == nil {
		err = end
	}
	return err
}

// pump is io.Copy without the shortcuts of the system, whose errors do not tell which side failed.
func pump(to io.Writer, from io.Reader) error {
	_, err := io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10))
	return err
}
