package netif

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// ErrNoInterface is what errors.Is finds in the error for a zone, a name or an index that no interface has.
var ErrNoInterface = errors.New("no such interface")

// maxListed is how many interfaces the error for an unknown zone lists.
const maxListed = 16

// ZoneIndex returns the index of the interface that zone names: its name, another name that the system keeps for it
// (Linux: altname, at most 127 bytes), or its index in decimal (RFC 4007 section 11.2). A name of digits wins over an
// index, as in package net.
//
// The kernel is asked at each call, in the network namespace of the calling thread: package net answers from a cache
// that is up to a minute old and names the wrong index after an interface was made anew. On Linux the question is for
// that one interface, no list of all.
//
// The error for an unknown zone is ErrNoInterface and lists the interfaces that exist.
func ZoneIndex(zone string) (int, error) {
	index, err := lookupZone(zone)
	if errors.Is(err, ErrNoInterface) {
		return 0, unknown(strconv.Quote(zone))
	}
	return index, err
}

// ZoneName returns the name of the interface with the given index, asked freshly as ZoneIndex does. The error for an
// index that no interface has is ErrNoInterface and lists the interfaces that exist.
func ZoneName(index int) (string, error) {
	name, err := lookupIndex(index)
	if errors.Is(err, ErrNoInterface) {
		return "", unknown("with index " + strconv.Itoa(index))
	}
	return name, err
}

// unknown is the error for what no interface of the calling thread's namespace is.
func unknown(wanted string) error {
	s, err := Interfaces(context.Background())
	if err != nil {
		return fmt.Errorf("%w %s (and the interfaces can't be listed: %w)", ErrNoInterface, wanted, err)
	}
	return noInterface(wanted, s.Interfaces)
}

func noInterface(wanted string, there []Interface) error {
	names := make([]string, 0, len(there))
	for _, i := range there {
		names = append(names, i.Name)
	}
	return fmt.Errorf("%w %s (there are: %s)", ErrNoInterface, wanted, listed(names))
}

// listed joins names, the first maxListed of them.
func listed(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	if rest := len(names) - maxListed; rest > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), rest)
	}
	return strings.Join(names, ", ")
}

// decimalIndex reads an interface index in decimal digits; 0 is none.
func decimalIndex(zone string) (index int, ok bool) {
	n, err := strconv.ParseUint(zone, 10, 32)
	return int(n), err == nil && n > 0 && n <= math.MaxInt32
}
