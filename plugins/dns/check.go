package dns

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/hostname"
	"github.com/epctl/endpoint/registry"
)

func (o *options) encrypted() bool { return o.Transport == "tls" || o.Transport == "https" }

func (o *options) check() error {
	var bad []error
	fail := func(param, message string, with ...string) {
		bad = append(bad, registry.Bad(param, "%s", message).With(with...))
	}
	o.checkWay(fail)
	o.checkVia(fail)
	o.checkAddresses(fail)
	o.checkEncrypted(fail)
	switch {
	case o.Attempts == 0:
		fail("attempts", "must be at least 1")
	case o.Timeout == 0:
		fail("timeout", "must be more than 0")
	}
	return errors.Join(bad...)
}

type failFunc = func(param, message string, with ...string)

// checkWay checks that there is one way to a server.
func (o *options) checkWay(fail failFunc) {
	via := o.Via != nil || o.ViaPacket != nil
	switch {
	case len(o.Server) == 0 && !via:
		fail("server", "give the address of a server, or an endpoint that leads to one as via")
	case len(o.Server) > 0 && o.Via != nil:
		fail("via", "leads to the server in place of an address", "server")
	case len(o.Server) > 0 && o.ViaPacket != nil:
		fail("viaPacket", "leads to the server in place of an address", "server")
	}
	if o.Port == nil {
		return
	}
	switch {
	case via:
		fail("port", "the endpoint that leads to the server has its port")
	case *o.Port == 0:
		fail("port", "0 is no port of a server")
	}
}

func (o *options) checkVia(fail failFunc) {
	switch {
	case o.Transport == "udp" && o.Via != nil && o.ViaPacket == nil && len(o.Server) == 0:
		fail("via", "is a stream: choose tcp, tls or https, or give a viaPacket for udp", "transport")
	case o.Transport != "udp" && o.ViaPacket != nil:
		fail("viaPacket", "is for udp", "transport")
	}
}

func (o *options) checkAddresses(fail failFunc) {
	for i, a := range o.Server {
		switch {
		case a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
			fail("server", a.String()+" is no address of a server")
		case a.Is6() && a.IsLinkLocalUnicast() && a.Zone() == "":
			fail("server", a.String()+" is link-local and needs a zone, as in fe80::53%eth0")
		case slices.Contains(o.Server[:i], a):
			fail("server", a.String()+" is given twice")
		}
	}
}

func (o *options) checkEncrypted(fail failFunc) {
	if !o.encrypted() {
		if o.ServerName != "" {
			fail("serverName", "is for tls and https", "transport")
		}
		if o.TrustRoots != "" {
			fail("trustRoots", "is for tls and https", "transport")
		}
	}
	switch {
	case o.Path != "" && o.Transport != "https":
		fail("path", "is for https", "transport")
	case o.Path != "" && !validPath(o.Path):
		fail("path", "is no path of a URL, such as /dns-query")
	}
	if o.encrypted() && o.Via != nil && o.ServerName == "" {
		fail("serverName", "is needed with via: nothing else says whose certificate the server must have", "via")
	}
	if o.ServerName == "" {
		return
	}
	host, err := hostname.Parse(o.ServerName)
	if err != nil {
		fail("serverName", err.Error())
		return
	}
	o.ServerName = strings.TrimSuffix(host.Name, ".")
	if host.Addr.IsValid() {
		o.ServerName = host.Addr.Unmap().WithZone("").String()
	}
}

// validPath takes what needs no escapes.
func validPath(path string) bool {
	return path[0] == '/' && !strings.ContainsFunc(path, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("?#%{}\"<>\\^`|", r)
	})
}
