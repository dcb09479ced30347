//go:build linux

package interop

import (
	"os/exec"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startCyrus starts cyrus-master(8), which has nntp.
func startCyrus(t *testing.T) *peer {
	t.Helper()
	const master = "/usr/lib/cyrus/bin/master"
	_, err := exec.LookPath(master)
	testenv.Need(t, err == nil, "the program "+master+" (the package cyrus-nntpd)")
	p := newPeer(t, "cyrus", certtest.ECDSA)
	for _, name := range []string{"config", "proc", "lock", "spool", "news", "config/socket", "config/db"} {
		p.mkdir(name)
	}
	imapd := p.configure("cyrus.imapd.conf", "imapd.conf")
	p.serve(master, "-C", imapd, "-M", p.configure("cyrus.conf", "cyrus.conf"), "-p", p.dir+"/config/pid")
	return p
}

func TestClientAgainstCyrus(t *testing.T) {
	t.Parallel()
	p := startCyrus(t)
	p.speaks(t, dialogue{"nntp", "NNTP", lines("> CAPABILITIES", "< 101 ", "< AUTHINFO ", `< \.$`, "> QUIT", "< 205 ")})
}
