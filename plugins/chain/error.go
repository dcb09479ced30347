package chain

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/epctl/endpoint/internal/lookup"
)

// sum makes one error of what the resolvers said. Failures go before names that were not found.
func sum(ctx context.Context, host string, causes []error) error {
	if err := lookup.Ended(ctx, host); err != nil {
		return err
	}
	slices.SortStableFunc(causes, func(a, b error) int { return weight(a) - weight(b) })
	if len(causes) == 1 {
		return causes[0]
	}
	e := &net.DNSError{Name: host, IsNotFound: true, UnwrapErr: errors.Join(causes...)}
	var texts []string
	for _, cause := range causes {
		e.IsNotFound = e.IsNotFound && lookup.IsNotFound(cause)
		e.IsTimeout, e.IsTemporary = e.IsTimeout || isTimeout(cause), e.IsTemporary || isTemporary(cause)
		if text := text(cause); !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	e.Err = strings.Join(texts, "; ")
	return e
}

func weight(err error) int {
	if lookup.IsNotFound(err) {
		return 1
	}
	return 0
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func isTemporary(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsTemporary
}

// text is an error without the name, which the sum has.
func text(err error) string {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return err.Error()
	case dns.Server != "":
		return dns.Err + " (server " + dns.Server + ")"
	}
	return dns.Err
}
