package wire

import (
	"net/netip"
	"slices"
	"time"

	"github.com/epctl/endpoint/trace"
)

// EventOf is e as it is sent.
func EventOf(e trace.Event) *Event {
	w := &Event{
		Kind: string(e.Kind), Id: e.ID, Layer: Valid(e.Layer), Network: Valid(e.Network), Host: Valid(e.Host),
		Local: AddressOf(e.Local), Remote: AddressOf(e.Remote), Elapsed: int64(e.Elapsed), Detail: Valid(e.Detail),
		Addresses: textsOf(e.Addrs),
	}
	if e.Err != nil {
		w.Error = ErrorOf(e.Err)
	}
	return w
}

// Event is the event that a process tells: its id is one of this process.
func (e *Event) Event(id func(uint64) uint64) (trace.Event, bool) {
	kind := trace.Kind(e.Kind)
	if !slices.Contains(kinds(), kind) {
		return trace.Event{}, false
	}
	t := trace.Event{
		Kind: kind, Layer: Clean(e.Layer, maxName), Network: Clean(e.Network, maxName), Host: Clean(e.Host, maxMessage),
		Elapsed: max(time.Duration(e.Elapsed), 0), Detail: Clean(e.Detail, maxMessage),
	}
	t.Local, _ = e.Local.Addr()
	t.Remote, _ = e.Remote.Addr()
	t.Addrs, _ = addressesIn(e.Addresses)
	if e.Error != nil {
		t.Err = e.Error.Err()
	}
	if e.Id != 0 {
		t.ID = id(e.Id)
	}
	return t, true
}

func kinds() []trace.Kind {
	return []trace.Kind{trace.ResolveStart, trace.ResolveDone, trace.AttemptStart, trace.AttemptDone,
		trace.HandshakeStart, trace.HandshakeDone, trace.Listening, trace.Changed, trace.Warning}
}

// AddressesOf is the answer of a look-up as it is sent.
func AddressesOf(addrs []netip.Addr) *Addresses { return &Addresses{Addresses: textsOf(addrs)} }

// Addrs is the answer that a process gives.
func (a *Addresses) Addrs() ([]netip.Addr, error) { return addressesIn(a.Addresses) }

func textsOf(addrs []netip.Addr) []string {
	var texts []string
	for _, a := range addrs {
		texts = append(texts, a.String())
	}
	return texts
}

func addressesIn(texts []string) ([]netip.Addr, error) {
	const most = 4096
	var addrs []netip.Addr
	for _, text := range texts[:min(len(texts), most)] {
		a, err := netip.ParseAddr(text)
		if err != nil {
			return nil, &toldError{text: "the answer " + Clean(text, maxName) + " is no IP address"}
		}
		addrs = append(addrs, a)
	}
	return addrs, nil
}
