package dnsclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

var errHuge = errors.New("the message is larger than DNS has them")

const mediaType = "application/dns-message"

// posts asks a server over HTTPS.
type posts struct {
	url       *url.URL
	transport *http.Transport
	pool      pool[*http.ClientConn]
}

func newPosts(c *Config, s Server) (*posts, error) {
	u, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("dnsclient: %q is no https URL", s.URL)
	}
	upgrade := c.handshake(s.TLSName, "h2", "http/1.1")
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &posts{
		url:  u,
		pool: pool[*http.ClientConn]{idle: c.Idle},
		transport: &http.Transport{
			DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return s.Stream(ctx, upgrade)
			},
			Protocols:              protocols,
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
	}, nil
}

// exchange posts q. It follows no redirection: the server is the one that was configured.
func (p *posts) exchange(ctx context.Context, q *query) (*reply, error) {
	goneOut(ctx) // to a connection of its own
	return borrow(&p.pool,
		func() (*http.ClientConn, error) {
			return p.transport.NewClientConn(ctx, "https", net.JoinHostPort(p.url.Hostname(), "443"))
		},
		func() bool { return ctx.Err() != nil },
		func(conn *http.ClientConn) (*reply, error) { return p.post(ctx, conn, q) })
}

func (p *posts) post(ctx context.Context, conn *http.ClientConn, q *query) (*reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url.String(), bytes.NewReader(q.wire))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", mediaType)
	req.Header.Set("Accept", mediaType)
	req.Header.Set("User-Agent", "") // tells the server nothing that it needs (RFC 8484 section 8.2)
	resp, err := conn.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	const most = 1<<16 - 1
	message, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, statusError(resp.StatusCode)
	case !strings.EqualFold(mediaTypeOf(resp), mediaType):
		return nil, fmt.Errorf("the server answers with %.80q, which is no DNS message", resp.Header.Get("Content-Type"))
	case len(message) > most:
		return nil, errHuge
	}
	r, err := q.read(message)
	if err != nil {
		return nil, err
	}
	r.age = ageOf(resp)
	return r, nil
}

func mediaTypeOf(resp *http.Response) string {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	return strings.TrimSpace(kind)
}

// ageOf is how long an answer has lain in caches, which its times to live do not count (RFC 8484 section 5.1).
func ageOf(resp *http.Response) uint32 {
	age, err := strconv.ParseUint(resp.Header.Get("Age"), 10, 32)
	if err != nil {
		return 0
	}
	return uint32(age)
}
