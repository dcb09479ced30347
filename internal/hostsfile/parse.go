package hostsfile

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/lookup"
)

// A Table has the addresses of names in their canonical form, in the order of the file and each once.
type Table map[string][]netip.Addr

// Parse reads the text of a file as hosts(5) describes it: in each line an address, the name that it has, and further
// names; a '#' starts a comment. Lines without a name or whose first word is no address, and names that can't be those
// of a host, are skipped, as the system does. An IPv6 address may have a zone; an IPv4 address in its IPv6 form is IPv4.
func Parse(text string) Table {
	t := make(Table)
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		t.addLine(line)
	}
	return t
}

func (t Table) addLine(line string) {
	line, _, _ = strings.Cut(line, "#")
	words := strings.Fields(line)
	if len(words) < 2 {
		return
	}
	addr, err := netip.ParseAddr(words[0])
	if err != nil {
		return
	}
	addr = addr.Unmap()
	for _, word := range words[1:] {
		name, ok := lookup.Canonical(word)
		if ok && !slices.Contains(t[name], addr) && len(t[name]) < maxAddresses {
			t[strings.Clone(name)] = append(t[name], addr)
		}
	}
}
