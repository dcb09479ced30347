package starttls_test

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/epctl/endpoint/internal/peerscript"
	"github.com/epctl/endpoint/internal/tlsconn"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/trace"
)

// events are those of one case.
type events struct {
	mu   sync.Mutex
	seen []trace.Event
}

func (e *events) add(event trace.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, event)
}

func (e *events) all() []trace.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.seen)
}

// failure is why a server did not hand a connection out.
func (e *events) failure() error {
	for _, event := range e.all() {
		if event.Kind == trace.HandshakeDone && event.Err != nil {
			return event.Err
		}
	}
	return nil
}

// warn reports whether there is a warning, or an error of the dialogue.
func (e *events) warn() bool {
	return e.failure() != nil || slices.ContainsFunc(e.all(), func(e trace.Event) bool { return e.Kind == trace.Warning })
}

// An outcome is what came of a case on our side.
type outcome struct {
	conn   net.Conn
	err    error
	took   time.Duration
	events *events
}

// judge compares what came of a case with what is wanted.
func judge(t *testing.T, want peerscript.Want, got outcome, peer *peerscript.Result) {
	for _, fault := range want.Faults(peer) {
		t.Error(fault)
	}
	secure, encrypted := got.conn.(*tls.Conn)
	switch {
	case want.Outcome == "ok" && !encrypted:
		t.Errorf("got %T, %v; want TLS", got.conn, got.err)
	case want.Outcome == "plain" && (got.conn == nil || encrypted):
		t.Errorf("got %T, %v; want the plain connection", got.conn, got.err)
	case want.Outcome == "none" || want.Outcome == "error":
		if got.conn != nil {
			t.Errorf("got %T; want no connection", got.conn)
		}
	}
	if encrypted && want.ALPN != "" && secure.ConnectionState().NegotiatedProtocol != want.ALPN {
		t.Errorf("ALPN is %q, want %q", secure.ConnectionState().NegotiatedProtocol, want.ALPN)
	}
	if want.Within > 0 && got.took > want.Within {
		t.Errorf("it took %s, want at most %s", got.took, want.Within)
	}
	if want.Outcome == "plain" && !got.events.warn() {
		t.Error("nobody is told that there is no TLS")
	}
	if want.Outcome == "error" {
		judgeError(t, want, got.err)
	}
	for _, event := range got.events.all() {
		printable(t, event.Detail) // ST-22
	}
}

func judgeError(t *testing.T, want peerscript.Want, err error) {
	if err == nil {
		t.Error("no error")
		return
	}
	if stage := stageOf(err); len(want.Stages) > 0 && !slices.Contains(want.Stages, stage) {
		t.Errorf("the stage is %q, want %q: %v", stage, want.Stages, err)
	}
	if len(want.Is) > 0 && !slices.ContainsFunc(want.Is, func(kind string) bool { return is(err, kind) }) {
		t.Errorf("is none of %q: %v", want.Is, err)
	}
	text := err.Error()
	for _, part := range want.Contains {
		if !strings.Contains(text, part) {
			t.Errorf("%q is not in: %v", part, err)
		}
	}
	for _, part := range want.Lacks {
		if strings.Contains(text, part) {
			t.Errorf("%q is in: %v", part, err)
		}
	}
	printable(t, text) // ST-22
	var failed *starttls.Error
	if errors.As(err, &failed) && len(failed.Reply) > 256 {
		t.Errorf("a reply of %d bytes", len(failed.Reply))
	}
}

// is reports whether an error is of the kind that a case names. What a server tells of a handshake is not yet put in terms
// of starttls.
func is(err error, kind string) bool {
	target, ok := map[string]error{
		"injection":   starttls.ErrInjection,
		"not-offered": starttls.ErrNotOffered,
		"refused":     starttls.ErrRefused,
		"protocol":    starttls.ErrProtocol,
		"timeout":     starttls.ErrTimeout,
	}[kind]
	if kind == "timeout" {
		var timeout net.Error
		return errors.As(err, &timeout) && timeout.Timeout() && (errors.Is(err, target) || errors.As(err, new(*tlsconn.Error)))
	}
	return ok && errors.Is(err, target)
}

// stageOf is the stage at which something failed; a server tells of the handshake in terms of TLS.
func stageOf(err error) string {
	var ours *starttls.Error
	var theirs *tlsconn.Error
	switch {
	case errors.As(err, &ours):
		return string(ours.Stage)
	case errors.As(err, &theirs):
		return string(theirs.Stage)
	}
	return ""
}

// printable checks a text that people may see on a terminal, which has nothing of a peer in it as it came.
func printable(t *testing.T, text string) {
	if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }); i >= 0 {
		t.Errorf("not to be shown on a terminal: %+q", text)
	}
}
