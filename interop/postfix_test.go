//go:build linux

package interop

import (
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startPostfix starts postfix(1), which has smtp. Its master stays root, which owns its configuration too.
func startPostfix(t *testing.T) *peer {
	t.Helper()
	postfix := testenv.Tool(t, "postfix")
	p := newPeer(t, "root", certtest.ECDSA)
	etc := p.mkdir("etc")
	p.configure("postfix.main.cf", "etc/main.cf")
	p.configure("postfix.master.cf", "etc/master.cf")
	p.mkdir("queue")
	p.run(postfix, "-c", etc, "check") // makes the queue's directories
	// As its script would, but the leader of a process group stays in it.
	p.serve("/usr/lib/postfix/sbin/master", "-c", etc, "-s")
	return p
}

func TestClientAgainstPostfix(t *testing.T) {
	t.Parallel()
	p := startPostfix(t)
	p.speaks(t, dialogue{"smtp", "SMTP", lines(
		"> EHLO client.test", "< 250 ",
		"> MAIL FROM:<a@localhost>", "< 250 ",
		"> STARTTLS", "< 5", // ST-20
		"> QUIT", "< 221 ",
	)})
}
