package interop

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/certs/certtest"
)

// One string in both worlds, as for TCP. @CERT, @KEY, @CA and @DIR stand for the files of a certificate for localhost, its key
// and its authority, and for a directory of the latter.
func TestTLSStringsMeanTheSameToTwisted(t *testing.T) {
	python := twistedPython(t)
	cert, key, ca := certtest.WritePair(t, "localhost", "127.0.0.1")
	files := strings.NewReplacer("@CERT", cert, "@KEY", key, "@DIR", trustDir(t, ca), "@CA", ca)
	var ours, twisteds []pair
	table := []struct{ name, ours, twisteds, client string }{
		{
			"ssl, both ways", `ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`, `ssl:localhost:%v:caCertsDir=@DIR:hostname=localhost`,
		},
		{
			"ssl by keys", `ssl:port=%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1:backlog=10:sslmethod=SSLv23_METHOD`,
			`ssl:port=%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1:backlog=10`,
			`ssl:host=localhost:port=%v:timeout=10:bindAddress=127.0.0.1:caCertsDir=@DIR:hostname=localhost`,
		},
		{
			"ssl with a chain of its own", `ssl:%v:privateKey=@KEY:certKey=@CERT:extraCertChain=@CA:interface=127.0.0.1`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:extraCertChain=@CA:interface=127.0.0.1`, `ssl:localhost:%v:caCertsDir=@DIR:hostname=localhost`,
		},
		{
			"tls, which only our servers have", `tls:endpoint={tcp:port=%v:interface=127.0.0.1}:certificate=@CERT:privateKey=@KEY`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`, `tls:localhost:%v:trustRoots=@DIR`,
		},
		{
			"tls by keys", `tls:endpoint={tcp:port=%v:interface=127.0.0.1}:certificate=@CERT:privateKey=@KEY`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`, `tls:host=localhost:port=%v:timeout=10:trustRoots=@DIR`,
		},
		{
			"tls with certificates of both", `tls:endpoint={tcp:port=%v:interface=127.0.0.1}:certificate=@CERT:privateKey=@KEY:clientAuth=require:clientCA=@CA`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`, `tls:localhost:%v:trustRoots=@DIR:certificate=@CERT:privateKey=@KEY`,
		},
		{
			"tls to an endpoint", `tls:endpoint={tcp:port=%v:interface=127.0.0.1}:certificate=@CERT:privateKey=@KEY`,
			`ssl:%v:privateKey=@KEY:certKey=@CERT:interface=127.0.0.1`, `tls:localhost:443:trustRoots=@DIR:endpoint=tcp\:127.0.0.1\:%v`,
		},
	}
	for _, row := range table {
		client := files.Replace(row.client)
		ours = append(ours, pair{row.name, files.Replace(row.ours), client})
		twisteds = append(twisteds, pair{row.name, files.Replace(row.twisteds), client})
	}
	t.Run("Twisted dials", func(t *testing.T) { twistedDials(t, python, ours) })
	t.Run("Twisted listens", func(t *testing.T) { twistedListens(t, python, twisteds) })
}
