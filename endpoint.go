// Package endpoint turns strings into connections, listeners and datagram sockets, so that a program's config can say
// what it connects to and what it listens on:
//
//	ln, err := endpoint.Listen(ctx, "tcp6:port=8080:interface=[::1]")
//	if err != nil {
//		log.Fatal(err)
//	}
//	log.Fatal(http.Serve(ln, handler))
//
// What comes back is what package net would give, here a *net.TCPListener.
//
// # The string
//
// A string is fields with colons between them. The first field without a key names the endpoint; the others are its
// parameters, with a key or in their order: tcp6:8080 is tcp6:port=8080. Text with colons stands in brackets,
// interface=[::1], or has them escaped, interface=\:\:1. An endpoint inside another stands in braces. spec/language.md
// has it all; the README of each directory under plugins tells one endpoint's parameters.
//
// # Two steps
//
// [Dial], [Listen], [DialPacket] and [ListenPacket] parse, build and use a string at once. [NewClient], [NewServer],
// [NewPacketClient] and [NewPacketServer] parse and build only, without any I/O: do that when the program starts, so that
// a mistake shows there, and use what comes back any number of times, from any goroutine. [Check] only tells whether a
// string is right.
//
// # Errors
//
// What is wrong with a string is a [*grammar.Error], or several, with the place and where it can be known a fix:
//
//	for _, e := range grammar.All(err) {
//		fmt.Fprintln(os.Stderr, e.Caret())
//	}
//
// What fails later is an error of package net, which errors.Is and errors.As see through.
//
// # More
//
// Package trace shows what a dial or a listen is doing. Package registry is for those who write plugins:
// Default.With(mine.Plugin) is a registry that has one more. A program that takes strings from people whom it does not
// trust makes a registry of just the plugins that it allows. The command epctl checks, explains and tries strings.
package endpoint

import (
	"context"
	"net"

	"github.com/epctl/endpoint/registry"
)

// The roles of an endpoint, as package registry has them.
type (
	// A Client connects a stream.
	Client = registry.Client
	// A Server listens for streams.
	Server = registry.Server
	// A PacketClient makes connected datagram sockets.
	PacketClient = registry.PacketClient
	// A PacketServer makes datagram sockets that are bound and not connected.
	PacketServer = registry.PacketServer
)

// NewClient compiles s into a client, without any I/O. Its Dial may be called any number of times, from any goroutine.
// The error is a *grammar.Error or several of them.
func NewClient(s string) (Client, error) { return Default.NewClient(s) }

// NewServer compiles s into a server, as NewClient does.
func NewServer(s string) (Server, error) { return Default.NewServer(s) }

// NewPacketClient compiles s into a datagram client, as NewClient does.
func NewPacketClient(s string) (PacketClient, error) { return Default.NewPacketClient(s) }

// NewPacketServer compiles s into a datagram server, as NewClient does.
func NewPacketServer(s string) (PacketServer, error) { return Default.NewPacketServer(s) }

// Dial connects to the endpoint that s describes. The context bounds the dial only.
func Dial(ctx context.Context, s string) (net.Conn, error) {
	c, err := NewClient(s)
	if err != nil {
		return nil, err
	}
	return c.Dial(ctx)
}

// Listen listens on the endpoint that s describes. The context bounds the call only, not the listener.
func Listen(ctx context.Context, s string) (net.Listener, error) {
	srv, err := NewServer(s)
	if err != nil {
		return nil, err
	}
	return srv.Listen(ctx)
}

// DialPacket makes a datagram socket that is connected to the endpoint that s describes. The context bounds the call
// only.
func DialPacket(ctx context.Context, s string) (net.Conn, error) {
	c, err := NewPacketClient(s)
	if err != nil {
		return nil, err
	}
	return c.DialPacket(ctx)
}

// ListenPacket makes a datagram socket that is bound to the endpoint that s describes. The context bounds the call only.
func ListenPacket(ctx context.Context, s string) (net.PacketConn, error) {
	srv, err := NewPacketServer(s)
	if err != nil {
		return nil, err
	}
	return srv.ListenPacket(ctx)
}

// Check reports what is wrong with s: nil if s is right in at least one role. It does no I/O.
func Check(s string) error { return Default.Check(s) }
