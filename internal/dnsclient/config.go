package dnsclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Limits and defaults.
const (
	DefaultAttempts = 3
	DefaultTimeout  = 2 * time.Second
	MaxTimeout      = 8 * time.Second // of one try, to which that of later rounds grows

	maxAliases   = 16  // CNAMEs from one name to its addresses
	maxQuestions = 8   // asked for one name, where a server does not follow the aliases itself
	maxAddresses = 512 // of an answer that are used

	firstPause = 100 * time.Millisecond // least time from the start of the first round to that of the second
)

// A Transport is what carries the questions.
type Transport string

// The transports.
const (
	UDP   Transport = "udp"   // RFC 1035, with EDNS(0) of RFC 6891; TCP where an answer is truncated
	TCP   Transport = "tcp"   // RFC 7766
	TLS   Transport = "tls"   // RFC 7858
	HTTPS Transport = "https" // RFC 8484, by POST over HTTP/2, or HTTP/1.1 with a server that has no other
)

// An Upgrade makes a connection ready for questions. It owns the connection, and closes it where it fails.
type Upgrade = func(ctx context.Context, conn net.Conn) (net.Conn, error)

// A Server is one server to ask. Its functions must return when their context ends.
type Server struct {
	Name string // in errors, such as "192.0.2.53:53"
	// Packet makes a connected datagram socket, whose local port is one that can't be guessed. For UDP only.
	Packet func(ctx context.Context) (net.Conn, error)
	// Stream connects and upgrades. For UDP it may be nil; then a truncated answer is an error.
	Stream func(ctx context.Context, upgrade Upgrade) (net.Conn, error)
	// TLSName is the name or the address that the server's certificate has to have. For TLS and HTTPS.
	TLSName string
	// URL is where to post questions. For HTTPS; its host has no part in how the server is reached.
	URL string
}

// Config says how a [Client] asks.
type Config struct {
	Servers   []Server // in the order in which they are asked
	Transport Transport
	TLS       func() (*tls.Config, error) // called for each connection; nil: the system's roots

	Attempts int           // tries of each server for one question; 0: 3
	Timeout  time.Duration // of the first tries; it doubles with each round, up to 8 s where it is less; 0: 2 s
	Idle     time.Duration // how long a connection waits for the next question; 0: it is closed at once

	CacheSize int  // answers that are kept; 0: none
	MixCase   bool // ask in random case and demand it back (draft-vixie-dnsext-dns0x20)
	Local     bool // ask for names under .local too
}

// A Client looks names up at DNS servers. It is safe for use by several goroutines; make one with [New].
type Client struct {
	cfg     Config
	servers []*server
	first   atomic.Int32 // index of the server that answered last

	mu      sync.Mutex
	flights map[question]*flight
	cache   *cache
}

// A server is a Server with what is known of it.
type server struct {
	Server
	exchange func(ctx context.Context, q *query) (*reply, error)
	noEDNS   atomic.Bool // it answers only questions without EDNS(0)
}

// New makes a client. It does no I/O.
func New(c Config) (*Client, error) {
	if c.Attempts == 0 {
		c.Attempts = DefaultAttempts
	}
	if c.Timeout == 0 {
		c.Timeout = DefaultTimeout
	}
	if len(c.Servers) == 0 {
		return nil, fmt.Errorf("dnsclient: no servers")
	}
	client := &Client{cfg: c, flights: make(map[question]*flight), cache: newCache(c.CacheSize)}
	for _, s := range c.Servers {
		made, err := c.server(s)
		if err != nil {
			return nil, err
		}
		client.servers = append(client.servers, made)
	}
	return client, nil
}

func (c *Config) server(s Server) (*server, error) {
	out := &server{Server: s}
	switch c.Transport {
	case UDP:
		out.exchange = newDatagrams(c, s).exchange
	case TCP:
		out.exchange = newStreams(c, s, nil).exchange
	case TLS:
		out.exchange = newStreams(c, s, c.handshake(s.TLSName, "dot")).exchange
	case HTTPS:
		posts, err := newPosts(c, s)
		if err != nil {
			return nil, err
		}
		out.exchange = posts.exchange
	default:
		return nil, fmt.Errorf("dnsclient: no transport %q", c.Transport)
	}
	return out, nil
}
