package starttls

import "fmt"

// errInsists is a client that goes on without TLS.
var errInsists = fmt.Errorf("%w: the client goes on without it", ErrRefused)

// without ends the server's side of a dialogue with a client that goes on without TLS. Where that is allowed the client is
// handed out, and what it said from the byte at from on is still to be read; else it is told no, if there is a way to.
func (d *dialogue) without(t serverTerms, from int, no []byte) error {
	if t.plain {
		d.kept = d.spoken[from:len(d.spoken):len(d.spoken)]
		return d.fail(errInsists, "")
	}
	d.over = true
	if len(no) > 0 {
		if err := d.write(no); err != nil {
			return err
		}
	}
	return d.fail(errInsists, "")
}
