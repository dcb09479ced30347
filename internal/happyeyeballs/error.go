package happyeyeballs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Stage says how far an attempt came.
type Stage string

// The stages.
const (
	StageResolve   Stage = "resolve"   // a look-up; Attempt.Addr is the zero AddrPort
	StageFilter    Stage = "filter"    // the address was not dialed: it is denied, or of a family that is left out
	StageConnect   Stage = "connect"   // Config.Dial
	StageHandshake Stage = "handshake" // the upgrade
)

// An Attempt is one thing that failed in a dial.
type Attempt struct {
	Addr     netip.AddrPort
	Family   string // "IPv6" or "IPv4"
	Stage    Stage
	Elapsed  time.Duration // since the attempt, or the look-up, began
	Err      error         // what Config.Dial, the upgrade or the resolver returned; or why the engine gave up waiting
	Terminal bool          // Err says that trying again would not help
}

// String is the attempt as one line of printable text, such as "[2001:db8::1]:443 (IPv6): connect failed after 12ms:
// connection refused".
func (a Attempt) String() string {
	where := fmt.Sprintf("%s (%s): ", cut(a.Addr.String()), a.Family)
	switch a.Stage {
	case StageResolve:
		return clean(fmt.Sprintf("look-up of %s addresses failed after %v: %s", a.Family, round(a.Elapsed), causeText(a.Err)))
	case StageFilter:
		return clean(where + "not tried: " + causeText(a.Err))
	}
	return clean(fmt.Sprintf("%s%s failed after %v: %s", where, a.Stage, round(a.Elapsed), causeText(a.Err)))
}

// An Error is a failed dial: every attempt with its cause. errors.Is and errors.As reach each cause and, in Err, the
// context's error. It is a [net.Error].
type Error struct {
	Host     string
	Port     uint16
	Attempts []Attempt // in the order in which they began to fail
	Elapsed  time.Duration
	Err      error  // the context's error where that ended the dial, else nil
	Untried  int    // addresses that were known and not tried
	Note     string // why a family was left out; empty where none was
}

var _ net.Error = (*Error)(nil)

// Error has one line for a dial with one attempt, else a line for each attempt below a first one. Names and texts that
// come from outside are printable: what is not is escaped.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dial %s", e.target())
	if e.Err != nil {
		fmt.Fprintf(&b, ": %s after %v", clean(e.Err.Error()), round(e.Elapsed))
	}
	if e.Untried > 0 {
		fmt.Fprintf(&b, ": addresses not tried: %d", e.Untried)
	}
	if e.Note != "" {
		fmt.Fprintf(&b, ": %s", clean(e.Note))
	}
	e.writeAttempts(&b)
	return b.String()
}

func (e *Error) target() string {
	if a, err := netip.ParseAddr(e.Host); err == nil {
		return clean(cut(netip.AddrPortFrom(a, e.Port).String()))
	}
	return fmt.Sprintf("%q port %d", cut(e.Host), e.Port)
}

func (e *Error) writeAttempts(b *strings.Builder) {
	if len(e.Attempts) == 1 && e.Err == nil {
		fmt.Fprintf(b, ": %s", e.Attempts[0])
		return
	}
	if e.Err == nil {
		fmt.Fprintf(b, ": %d attempts failed in %v", len(e.Attempts), round(e.Elapsed))
	}
	for _, a := range e.Attempts {
		fmt.Fprintf(b, "\n  %s", a)
	}
}

// Unwrap returns the context's error and the cause of every attempt.
func (e *Error) Unwrap() []error {
	var errs []error
	if e.Err != nil {
		errs = append(errs, e.Err)
	}
	for _, a := range e.Attempts {
		errs = append(errs, a.Err)
	}
	return errs
}

// Timeout reports whether time was what lacked: the context's deadline passed or, where the dial ended by itself, every
// address that was tried timed out; where no address was known, whether a look-up timed out.
func (e *Error) Timeout() bool {
	if e.Err != nil {
		return errors.Is(e.Err, context.DeadlineExceeded)
	}
	var addresses, late, lookups int
	for _, a := range e.Attempts {
		switch {
		case a.Stage == StageResolve && isTimeout(a.Err):
			lookups++
		case a.Stage != StageResolve && isTimeout(a.Err):
			addresses, late = addresses+1, late+1
		case a.Stage != StageResolve:
			addresses++
		}
	}
	return late == addresses && late+lookups > 0
}

// Temporary is the deprecated half of [net.Error]; it is Timeout.
func (e *Error) Temporary() bool { return e.Timeout() }

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

// causeText leaves out what the line says already.
func causeText(err error) string {
	switch e := err.(type) {
	case *net.OpError:
		if e.Op == "dial" && e.Err != nil {
			return causeText(e.Err)
		}
	case *net.DNSError:
		if e.Server != "" {
			return fmt.Sprintf("%s (server %s)", cut(e.Err), cut(e.Server))
		}
		return cut(e.Err)
	}
	return cut(err.Error())
}

// cut bounds text that a peer may have chosen.
func cut(s string) string {
	const most = 300
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// clean escapes what is not printable: a terminal's control sequences, line ends, marks that change direction.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func round(d time.Duration) time.Duration {
	if d < 10*time.Millisecond {
		return d.Round(10 * time.Microsecond)
	}
	return d.Round(time.Millisecond)
}
