package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/trace"
)

// A tlsReport is what a handshake showed, in its JSON form.
type tlsReport struct {
	Input       string           `json:"input"`
	OK          bool             `json:"ok"`
	Error       string           `json:"error,omitempty"`
	Errors      []*grammar.Error `json:"errors,omitempty"` // of the string
	Local       string           `json:"local,omitempty"`
	Remote      string           `json:"remote,omitempty"`
	*negotiated                  // nil where the handshake failed
	Verified    *verification    `json:"verified,omitempty"`
	Chain       []certificate    `json:"chain"` // as it was sent, and the trust root
	Stages      []tlsStage       `json:"stages"`
	MS          float64          `json:"ms"` // all of it

	trust  trust
	others []string // what other addresses showed that failed too
	race   chart
	raced  bool
	total  time.Duration
}

// negotiated is what client and server agreed on.
type negotiated struct {
	Version     string `json:"version"`
	Cipher      string `json:"cipher"`
	KeyExchange string `json:"keyExchange,omitempty"` // a group, of ECDHE or ML-KEM
	ALPN        string `json:"alpn"`                  // "" for none
	Resumed     bool   `json:"resumed"`
}

// A verification says how the server's certificate was verified.
type verification struct {
	OK     bool   `json:"ok"`
	Name   string `json:"name,omitempty"` // whose certificate was expected
	Root   string `json:"root,omitempty"` // subject of the root that it came from
	From   string `json:"from,omitempty"` // file or directory of the trust roots, or "system"
	Pinned bool   `json:"pinned,omitempty"`
	None   bool   `json:"none,omitempty"`   // chain, name and validity were not looked at, as verify=none says
	Reason string `json:"reason,omitempty"` // why it failed
}

func newTLSReport(layer *registry.Layer, client registry.Client) *tlsReport {
	return &tlsReport{Input: layer.Description.Input, Chain: []certificate{}, Stages: []tlsStage{}, trust: trustOf(layer, client)}
}

func newNegotiated(state tls.ConnectionState) *negotiated {
	n := &negotiated{
		Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite),
		ALPN: state.NegotiatedProtocol, Resumed: state.DidResume,
	}
	if state.CurveID != 0 {
		n.KeyExchange = state.CurveID.String()
	}
	return n
}

// connected reports a handshake that succeeded.
func (r *tlsReport) connected(conn net.Conn) error {
	r.Local, r.Remote = addressText(conn.LocalAddr()), addressText(conn.RemoteAddr())
	speaker, ok := unwrap[interface{ ConnectionState() tls.ConnectionState }](conn)
	if !ok {
		return errNoTLS
	}
	state := speaker.ConnectionState()
	r.negotiated = newNegotiated(state)
	r.Verified = r.trust.verified(state)
	var path []*x509.Certificate
	if len(state.VerifiedChains) > 0 {
		path = state.VerifiedChains[0]
	}
	r.addChain(state.PeerCertificates, path)
	return nil
}

// addChain adds what was sent, and what it was trusted for.
func (r *tlsReport) addChain(sent, path []*x509.Certificate) {
	now := time.Now()
	for _, c := range sent {
		r.Chain = append(r.Chain, newCertificate(c, now, true))
	}
	for _, c := range path {
		if !slices.ContainsFunc(sent, c.Equal) {
			r.Chain = append(r.Chain, newCertificate(c, now, false))
		}
	}
}

func (t trust) verified(state tls.ConnectionState) *verification {
	v := &verification{OK: true, Name: t.name, From: "system", Pinned: t.pinned}
	if t.roots != "" {
		v.From = t.roots
	}
	if len(state.VerifiedChains) == 0 {
		v.OK, v.None, v.Name, v.From = t.pinned, true, "", ""
		return v
	}
	path := state.VerifiedChains[0]
	v.Root = path[len(path)-1].Subject.String()
	return v
}

// A distrust is an attempt whose certificate was not accepted.
type distrust struct {
	event trace.Event
	why   *tls.CertificateVerificationError
}

// failed reports a dial that failed: where certificates were not accepted, those of the address that was tried first.
func (r *tlsReport) failed(events []trace.Event, err error) {
	all := distrusts(events)
	if len(all) == 0 {
		var why *tls.CertificateVerificationError // of a layer that tells no tracer
		if !errors.As(err, &why) {
			return
		}
		all = []distrust{{why: why}}
	}
	first := all[0]
	r.Local, r.Remote = addressText(first.event.Local), addressText(first.event.Remote)
	r.Verified = &verification{Name: r.trust.name, Reason: first.why.Err.Error()}
	r.addChain(first.why.UnverifiedCertificates, nil)
	for _, other := range all[1:] {
		if addr := addressText(other.event.Remote); !slices.EqualFunc(first.why.UnverifiedCertificates, other.why.UnverifiedCertificates, (*x509.Certificate).Equal) {
			r.others = append(r.others, addr)
		}
	}
}

// distrusts are in the order in which the attempts began.
func distrusts(events []trace.Event) (all []distrust) {
	for _, start := range events {
		if start.Kind != trace.HandshakeStart {
			continue
		}
		i := slices.IndexFunc(events, func(e trace.Event) bool { return e.Kind == trace.HandshakeDone && e.ID == start.ID })
		if i < 0 {
			continue
		}
		var why *tls.CertificateVerificationError
		if errors.As(events[i].Err, &why) {
			done := events[i]
			done.Remote = start.Remote
			all = append(all, distrust{done, why})
		}
	}
	return all
}

// A tlsStage is a part of a dial.
type tlsStage struct {
	Stage string  `json:"stage"` // "look-up", "connect", or what a wrapper said, such as "STARTTLS by smtp"
	What  string  `json:"what,omitempty"`
	MS    float64 `json:"ms"`
	Error string  `json:"error,omitempty"`

	elapsed time.Duration
	cause   string // the error for people
}

// times reports how long all of it took, stage by stage, and in a race what happened beside.
func (r *tlsReport) times(p *picture) {
	events := p.seen()
	r.stages(events)
	r.race, r.raced = p.race()
	r.race.title = "" // stands above
	if len(events) > 0 {
		r.total = events[len(events)-1].Time.Sub(events[0].Time)
		r.MS = milliseconds(r.total)
	}
}

// stages reports how long each stage took: of the connection that the report is about, where that can be known.
func (r *tlsReport) stages(events []trace.Event) {
	starts := make(map[uint64]trace.Event)
	ours := func(e trace.Event) bool { return e.Kind == trace.ResolveDone || addressText(e.Local) == r.Local }
	if r.Local == "" || !slices.ContainsFunc(events, func(e trace.Event) bool { return e.Kind == trace.AttemptDone && ours(e) }) {
		ours = func(trace.Event) bool { return true }
	}
	for _, e := range events {
		start, ended := starts[e.ID]
		switch {
		case strings.HasSuffix(string(e.Kind), "-start"):
			starts[e.ID] = e
		case ended && ours(e):
			r.Stages = append(r.Stages, newStage(start, e))
		}
	}
}

func newStage(start, done trace.Event) tlsStage {
	s := tlsStage{MS: milliseconds(done.Elapsed), elapsed: done.Elapsed}
	switch done.Kind {
	case trace.ResolveDone:
		s.Stage, s.What = "look-up", start.Host+" "+start.Network+": "+answerText(done)
	case trace.AttemptDone:
		s.Stage, s.What = "connect", "to "+addressText(start.Remote)
	default:
		s.Stage = start.Detail
		if done.Detail != start.Detail {
			s.What = done.Detail
		}
	}
	if done.Err != nil {
		s.Error, s.What, s.cause = done.Err.Error(), "", causeOf(done)
	}
	return s
}
