package dnsclient

import (
	"context"
	"crypto/tls"
	"net"
)

// handshake returns the upgrade to TLS with a server whose certificate has to have the name or address given. What is
// spoken inside is offered by ALPN.
func (c *Config) handshake(name string, protocols ...string) Upgrade {
	return func(ctx context.Context, conn net.Conn) (net.Conn, error) {
		cfg, err := c.tlsConfig()
		if err != nil {
			_ = conn.Close()
			return nil, err
		}
		cfg.ServerName, cfg.NextProtos = name, protocols
		secure := tls.Client(conn, cfg)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return secure, nil
	}
}

func (c *Config) tlsConfig() (*tls.Config, error) {
	if c.TLS == nil {
		return &tls.Config{}, nil
	}
	cfg, err := c.TLS()
	if err != nil {
		return nil, configError{err}
	}
	return cfg.Clone(), nil
}
