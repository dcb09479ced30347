package dns

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
)

// tls returns what makes the configuration of a connection. Roots are read anew for each, so that a renewed file counts;
// sessions are resumed.
func (o *options) tls() func() (*tls.Config, error) {
	if !o.encrypted() {
		return nil
	}
	path := o.TrustRoots
	sessions := tls.NewLRUClientSessionCache(2 * max(1, len(o.Server)))
	return func() (*tls.Config, error) {
		cfg := &tls.Config{ClientSessionCache: sessions}
		if path == "" {
			return cfg, nil
		}
		var err error
		cfg.RootCAs, err = readRoots(path)
		return cfg, err
	}
}

func readRoots(path string) (*x509.CertPool, error) {
	files := []string{path}
	if entries, err := os.ReadDir(path); err == nil {
		files = nil
		for _, e := range entries {
			if !e.IsDir() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
	}
	roots, found := x509.NewCertPool(), false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found = roots.AppendCertsFromPEM(text) || found
	}
	if !found {
		return nil, fmt.Errorf("no certificate in %s", path)
	}
	return roots, nil
}
