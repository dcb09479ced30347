package happyeyeballs

import (
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Terminal marks err as one that trying again would not mend, such as a certificate that does not verify. An error of
// the caller's own says the same by a method Terminal() bool. The address is given up and remembered as failed; the others
// go on, unless Config.TerminalEnds is set. errors.Is and errors.As see through it. It is nil for a nil err.
func Terminal(err error) error {
	if err == nil {
		return nil
	}
	return terminal{err}
}

type terminal struct{ error }

func (t terminal) Unwrap() error  { return t.error }
func (t terminal) Terminal() bool { return true }

func isTerminal(err error) bool {
	var t interface{ Terminal() bool }
	return errors.As(err, &t) && t.Terminal()
}

// errNoAddress is the cause of a look-up that answered, with nothing that can be used.
var errNoAddress = errors.New("no usable address in the answer")

// lostError ends the attempts that another one has beaten. Only the trace shows it: a dial with a winner has no error.
type lostError struct{ winner netip.AddrPort }

func (e lostError) Error() string { return fmt.Sprintf("lost to %v", e.winner) }

// gaveWayError ends the oldest attempt when MaxInFlight are under way and more addresses wait.
type gaveWayError struct{ after time.Duration }

func (e gaveWayError) Error() string {
	return fmt.Sprintf("no answer in %v, gave way to another address", round(e.after))
}

// Timeout is true: what ended the attempt was that it took too long.
func (e gaveWayError) Timeout() bool { return true }

// leftOutError is the cause of an address of a family that is not in use.
type leftOutError struct{ reason string }

func (e leftOutError) Error() string { return e.reason }
