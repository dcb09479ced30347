//go:build linux

package interop

import (
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
	"github.com/epctl/endpoint/internal/testenv"
)

// startVsftpd starts vsftpd(8), which has ftp and takes nothing but RSA keys.
func startVsftpd(t *testing.T) *peer {
	t.Helper()
	vsftpd := testenv.Tool(t, "vsftpd")
	p := newPeer(t, "root", certtest.RSA)
	p.mkdir("empty")
	p.serve(vsftpd, p.configure("vsftpd.conf", "vsftpd.conf"))
	return p
}

func TestClientAgainstVsftpd(t *testing.T) {
	t.Parallel()
	p := startVsftpd(t)
	// ST-21: what protects the data is the caller's.
	p.speaks(t, dialogue{"ftp", "FTP", lines("> PBSZ 0", "< 200 ", "> PROT P", "< 200 ", "> USER anonymous", "< 331 ", "> QUIT", "< 221 ")})
}
