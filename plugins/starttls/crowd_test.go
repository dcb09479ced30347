package starttls_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/epctl/endpoint/internal/peerscript"
	"github.com/epctl/endpoint/plugins/starttls"
)

// ST-23: a thousand clients that connect and say nothing delay nobody. They would only be gone after 10 s each, which
// the test does not wait for.
func TestSilentClientsDelayNobody(t *testing.T) {
	for _, proto := range starttls.Protocols() {
		t.Run(proto, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			r := newRack(t, proto)
			defer r.stop()
			for range 1000 {
				silent, far := peerscript.Pipe()
				defer silent.Close()
				r.accepts.conns <- far
			}
			near, far := peerscript.Pipe()
			conn, err := r.meet(t, near, far)
			if err != nil {
				t.Fatal(err)
			}
			r.echo(t, conn, <-r.accepted)
		})
	}
}
