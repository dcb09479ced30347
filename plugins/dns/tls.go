package dns

import (
	"crypto/tls"

	"github.com/epctl/endpoint/internal/certs"
)

// tls returns what makes the configuration of a connection. Roots are read again when their files change; sessions are
// resumed.
func (o *options) tls() func() (*tls.Config, error) {
	if !o.encrypted() {
		return nil
	}
	roots := certs.NewRoots(o.TrustRoots)
	sessions := tls.NewLRUClientSessionCache(2 * max(1, len(o.Server)))
	return func() (*tls.Config, error) {
		pool, err := roots.Pool()
		if err != nil {
			return nil, err
		}
		return &tls.Config{RootCAs: pool, ClientSessionCache: sessions}, nil
	}
}
