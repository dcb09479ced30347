package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/epctl/endpoint/registry"
)

// prepare decides in which role the string is tried, and gives a server of TLS that lacks a certificate one. It returns
// the string to try.
func (t *trial) prepare(ctx context.Context, a *app, c *tryCmd) (string, registry.Role, error) {
	role, err := a.pick(c.String, c.wanted()...)
	if err == nil && role != registry.RoleServer || !slices.Contains(c.wanted(), registry.RoleServer) {
		return c.String, role, err
	}
	if err == nil && c.Role == "" && isRatherAClient(ctx, a, c.String) {
		return c.String, registry.RoleClient, nil
	}
	s, made, cannot := a.supplied(c.String)
	switch {
	case cannot != nil:
		return "", "", cannot
	case made == nil:
		return c.String, role, err
	}
	t.made = made
	t.Certificate = fmt.Sprintf("none is given: an authority and a certificate for %s were made for this try", strings.Join(made.names, ", "))
	return s, registry.RoleServer, nil
}

// isRatherAClient says that a string reads as a client as well as a server, as tls:example.com:443 does, and that it
// names files that it needs as a server and that are not there.
func isRatherAClient(ctx context.Context, a *app, s string) bool {
	v := judge(a.registry, s, "")
	server := slices.Index(v.roles, registry.RoleServer)
	if server < 0 || !slices.Contains(v.roles, registry.RoleClient) {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	return failed(v.layers[server].Inspect(ctx))
}

// deriver finds clients for the server of the trial.
func (t *trial) deriver(a *app, s string, addr net.Addr) *deriver {
	d := newDeriver(a.registry, s, addr)
	d.made, d.scratch = t.made, t.scratch
	return d
}

// scratch is a directory for files, which is removed with the trial.
func (t *trial) scratch() (dir string, err error) {
	if t.dir == "" {
		t.dir, err = os.MkdirTemp("", "epctl-try-")
	}
	return t.dir, err
}

// clean removes what the trial has written.
func (t *trial) clean() {
	t.made.remove()
	if t.dir != "" {
		_ = os.RemoveAll(t.dir)
	}
}

// encrypted notes what a connection has agreed on, where it is one of TLS.
func (at *attempt) encrypted(a *app, s string, conn net.Conn) {
	speaker, ok := unwrap[interface{ ConnectionState() tls.ConnectionState }](conn)
	if !ok {
		return
	}
	state := speaker.ConnectionState()
	at.TLS = newNegotiated(state)
	if client, layer, err := a.client(s); err == nil {
		at.Verified = trustOf(layer, client).verified(state)
	}
}

func (n *negotiated) text() string {
	if n == nil {
		return ""
	}
	text := n.Version + ", " + n.Cipher
	if n.KeyExchange != "" {
		text += ", " + n.KeyExchange
	}
	if n.ALPN != "" {
		text += ", ALPN " + n.ALPN
	}
	if n.Resumed {
		text += ", resumed"
	}
	return text
}

// verifiedText says how the client has verified the server.
func (at *attempt) verifiedText() string {
	switch {
	case at.Verified == nil:
		return ""
	case at.Trusted != "" && at.Verified.Name != "":
		return "for " + at.Verified.Name + ", " + at.Trusted
	case at.Trusted != "":
		return at.Trusted
	}
	return at.Verified.text()
}

// afterwards is how long a refusal may take that a peer sends behind a handshake.
const afterwards = time.Second

// refusal is what a peer has said when nothing could be sent to it.
func refusal(conn net.Conn, err error) error {
	if said := refused(conn, afterwards); said != nil {
		return said
	}
	return err
}

// refused waits a while for a peer that ends the connection with an alert, and returns that: a server of TLS 1.3 refuses
// a client's certificate when for the client the handshake is over. What else comes is lost.
func refused(conn net.Conn, wait time.Duration) error {
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	_, said := conn.Read(make([]byte, 1))
	var alert *net.OpError
	if errors.As(said, &alert) && alert.Op == "remote error" {
		return said
	}
	return nil
}
