package dnsclient

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
)

var (
	errLame      = errors.New("the server neither has the name nor looks it up for others")
	errTruncated = errors.New("the answer is truncated, and there is no stream over which to get the rest")
)

// A rcodeError is what a server says instead of an answer. It may say something else later.
type rcodeError struct {
	rcode  int
	detail string
}

func (e rcodeError) Error() string {
	name, ok := dns.RcodeToString[e.rcode]
	switch {
	case e.rcode == dns.RcodeBadVers:
		name = "BADVERS" // and BADSIG in another place
	case !ok:
		name = fmt.Sprintf("RCODE %d", e.rcode)
	}
	return "the server answers " + name + e.detail
}

func (e rcodeError) Temporary() bool { return true }

// refusal reads the response code, and the reasons that RFC 8914 lets a server give.
func refusal(m *dns.Msg) rcodeError {
	e := rcodeError{rcode: m.Rcode}
	opt := m.IsEdns0()
	if opt == nil {
		return e
	}
	for _, option := range opt.Option {
		if ede, ok := option.(*dns.EDNS0_EDE); ok && len(e.detail) < 200 {
			e.detail += fmt.Sprintf(" (%s", reasonOf(ede.InfoCode))
			if ede.ExtraText != "" {
				e.detail += fmt.Sprintf(": %.100q", ede.ExtraText)
			}
			e.detail += ")"
		}
	}
	return e
}

func reasonOf(code uint16) string {
	if reason, ok := dns.ExtendedErrorCodeToString[code]; ok {
		return reason
	}
	return fmt.Sprintf("reason %d", code)
}

// A statusError is what a server says by HTTP instead of an answer.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("the server answers HTTP status %d", int(e)) }

func (e statusError) Temporary() bool { return e == http.StatusTooManyRequests || e >= 500 }

// A configError is a fault on this side of the connection.
type configError struct{ error }

func (e configError) Unwrap() error { return e.error }

// isFinal reports whether a server need not be tried again: it has said its word, or it is not the one that is wanted.
// Tries are repeated for what got lost.
func isFinal(err error) bool {
	return errors.As(err, new(rcodeError)) || errors.As(err, new(statusError)) || errors.As(err, new(configError)) ||
		errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.Is(err, errLame) || errors.Is(err, errTruncated)
}

// An aliasError is a chain of CNAME records that leads nowhere. No other server would say better.
type aliasError struct{ what string }

func (e aliasError) Error() string { return "the aliases of the name " + e.what }

// A timeoutError is a try without an answer. It is not the error of the try's context, which nobody but this package
// knows, so that whoever finds a context's error knows it to be that of his own.
type timeoutError struct{ after time.Duration }

func (e timeoutError) Error() string   { return fmt.Sprintf("no answer in %v", e.after) }
func (e timeoutError) Timeout() bool   { return true }
func (e timeoutError) Temporary() bool { return true }

// A failure is a try that failed.
type failure struct {
	server string
	err    error
}

type failures []failure

// result is the result of a question to which all tries failed.
func (f failures) result() result {
	e := &net.DNSError{IsTimeout: true}
	answered := true
	var causes []error
	for _, try := range f {
		causes = append(causes, try.err)
		e.IsTimeout = e.IsTimeout && isTimeout(try.err)
		e.IsTemporary = e.IsTemporary || isTemporary(try.err)
		answered = answered && errors.As(try.err, new(rcodeError))
	}
	e.UnwrapErr = errors.Join(causes...)
	e.Err, e.Server = f.describe()
	r := result{err: e}
	if answered {
		r.ttl = failureTTL
	}
	return r
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func isTemporary(err error) bool {
	var t interface{ Temporary() bool }
	return errors.As(err, &t) && t.Temporary()
}

// describe tells the last failure of each server; a single server is told apart.
func (f failures) describe() (text, server string) {
	var servers, texts []string
	for _, try := range slices.Backward(f) {
		if slices.Contains(servers, try.server) {
			continue
		}
		servers = append(servers, try.server)
		texts = append(texts, try.err.Error()+f.tries(try.server))
	}
	if len(servers) == 1 {
		return texts[0], servers[0]
	}
	for i, server := range servers {
		texts[i] = server + ": " + texts[i]
	}
	slices.Reverse(texts)
	return strings.Join(texts, "; "), ""
}

func (f failures) tries(server string) string {
	n := 0
	for _, try := range f {
		if try.server == server {
			n++
		}
	}
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" (%d tries)", n)
}
