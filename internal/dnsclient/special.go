package dnsclient

import (
	"net/netip"
	"strings"
)

// special answers for names that must not be asked for; true without addresses says that there is no such name.
// Localhost is the host itself (RFC 6761 section 6.3); invalid does not exist (section 6.4); onion belongs to Tor
// (RFC 7686 section 2); local belongs to multicast DNS (RFC 6762 section 22.1), except where Config.Local says that this
// network has it in its DNS.
func (c *Client) special(name string) ([]netip.Addr, bool) {
	top := name[strings.LastIndexByte(name, '.')+1:]
	switch {
	case top == "localhost":
		return []netip.Addr{netip.IPv6Loopback(), netip.AddrFrom4([4]byte{127, 0, 0, 1})}, true
	case top == "invalid", top == "onion", top == "local" && !c.cfg.Local:
		return nil, true
	}
	return nil, false
}
