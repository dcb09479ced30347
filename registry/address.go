package registry

import (
	"net/netip"
	"strings"
)

func decodeAddress(text string) (any, *badText) {
	addr, err := netip.ParseAddr(text)
	if err == nil {
		return addr, nil
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if unescaped := strings.ReplaceAll(inner, `\`, ""); unescaped != text {
		if _, err := netip.ParseAddr(unescaped); err == nil {
			return nil, badf("an address stands in one pair of brackets, without backslashes").withFix(unescaped)
		}
	}
	if addrPort, err := netip.ParseAddrPort(text); err == nil {
		return nil, badf("%s is an address and a port: the port is a parameter of its own", quoted(text)).
			withFix(addrPort.Addr().String())
	}
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return nil, badf("%s is a prefix, not an address", quoted(text)).withFix(prefix.Addr().String())
	}
	return nil, badf("%s is not an IP address", quoted(text))
}

func decodePrefix(text string) (any, *badText) {
	prefix, err := netip.ParsePrefix(text)
	if err == nil {
		if masked := prefix.Masked(); masked != prefix {
			return nil, badf("%s has bits behind the prefix", quoted(text)).withFix(masked.String())
		}
		return prefix, nil
	}
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		return nil, badf("%s has no length", quoted(text)).withFix(netip.PrefixFrom(addr, addr.BitLen()).String())
	}
	return nil, badf("%s is not an IP prefix such as 192.0.2.0/24", quoted(text))
}
