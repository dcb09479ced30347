package dnsclient

import (
	"net"
	"net/netip"
	"strings"

	"github.com/epctl/endpoint/internal/lookup"
)

// special answers for names that must not be asked for, and says whether name is one. Localhost is the host itself
// (RFC 6761 section 6.3); invalid does not exist (section 6.4); onion belongs to Tor (RFC 7686 section 2); local belongs
// to multicast DNS (RFC 6762 section 22.1), except where Config.Local says that this network has it in its DNS.
func (c *Client) special(f lookup.Families, name, host string) (addrs []netip.Addr, is bool, err error) {
	none := lookup.NoSuchHost(host)
	switch top := name[strings.LastIndexByte(name, '.')+1:]; {
	case top == "localhost":
		loopback := []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}
		return f.Select(loopback), true, nil
	case top == "invalid":
		return nil, true, none
	case top == "onion":
		return nil, true, because(none, "names under onion are Tor's, no DNS is asked for them")
	case top == "local" && !c.cfg.Local:
		return nil, true, because(none, "names under local are multicast DNS's, no server is asked for them")
	}
	return nil, false, nil
}

func because(e *net.DNSError, text string) *net.DNSError {
	e.Err = text
	return e
}
