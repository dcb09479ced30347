package starttls

import (
	"crypto/rand"
	"errors"
	"io"
)

func (x xmpp) server(d *dialogue, t serverTerms) error {
	r := &xmlReader{d: d}
	theirs, err := x.opened(r)
	header := x.header(introduction(theirs, t)...)
	switch {
	case err != nil:
		return d.complain(err, header+xmppError(xmppCondition(err))) // the stream begins all the same, section 4.9.1.2
	case !modern(theirs):
		return d.without(t, 0, []byte(header+xmppError("unsupported-version")))
	}
	if err := d.write([]byte(header + xmppOffer(!t.plain))); err != nil {
		return err
	}
	d.stage = StageUpgrade
	tag, err := x.element(r)
	switch {
	case errors.Is(err, errStreamEnd):
		return d.complain(err, xmppEnd)
	case err != nil:
		return d.complain(err, xmppError(xmppCondition(err)))
	case tag.name != xmlName{tlsSpace, "starttls"}:
		return x.insisted(r, t)
	}
	if err := x.hollow(r, tag); err != nil {
		return d.complain(err, "<failure xmlns='"+tlsSpace+"'/>"+xmppEnd) // section 5.4.2.2
	}
	return d.goAhead([]byte("<proceed xmlns='" + tlsSpace + "'/>"))
}

// maxJID is the longest address in XMPP, in bytes (RFC 7622 section 3.1).
const maxJID = 3071

// introduction is the attributes of our header. A client that says in its header who it is, is told so (section 4.7.2).
func introduction(theirs xmlTag, t serverTerms) []string {
	attrs := []string{"from", jidDomain(t.host), "id", rand.Text()}
	if from := theirs.attrs["from"]; from != "" && len(from) <= maxJID {
		attrs = append(attrs, "to", from)
	}
	return attrs
}

// insisted ends a stream whose client goes on without TLS. The beginning of its element is read; the rest is too, lest the
// answer be lost with what is unread when the connection is closed.
func (x xmpp) insisted(r *xmlReader, t serverTerms) error {
	for len(r.open) > 1 {
		if _, err := r.next(); err != nil {
			return r.d.complain(err, xmppError(xmppCondition(err)))
		}
	}
	return r.d.without(t, 0, []byte(xmppError("policy-violation")))
}

// complain tells a peer how it departs from the protocol, where it is still there. What comes of that does not matter: the
// connection is closed in any case.
func (d *dialogue) complain(err error, text string) error {
	if errors.Is(err, ErrProtocol) && !errors.Is(err, io.ErrUnexpectedEOF) {
		_ = d.write([]byte(text))
	}
	return err
}

// xmppCondition names what is wrong with a stream. The condition bad-format stands for all more exact ones about XML
// (section 4.9.3.1).
func xmppCondition(err error) string {
	if errors.Is(err, errXMPPSpace) {
		return "invalid-namespace"
	}
	return "bad-format"
}

const xmppEnd = "</stream:stream>"

func xmppOffer(required bool) string {
	inner := ""
	if required {
		inner = "<required/>"
	}
	return "<stream:features><starttls xmlns='" + tlsSpace + "'>" + inner + "</starttls></stream:features>"
}

// xmppError ends a stream, section 4.9.
func xmppError(condition string) string {
	return "<stream:error><" + condition + " xmlns='" + errorSpace + "'/></stream:error>" + xmppEnd
}
