package dnsclient

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/miekg/dns"
)

// udpSize is what a server may send in one datagram. It goes through every path without fragments, which an attacker
// could replace (RFC 9715).
const udpSize = 1232

// padding is the multiple to which questions are padded where they are encrypted (RFC 8467 section 4.1).
const padding = 128

// A query is a question as it goes to a server, once.
type query struct {
	question
	sent  string // the name in the case in which it is sent
	exact bool   // the answer must have the name in that case
	id    uint16
	edns  bool
	wire  []byte
}

// A reply is a message that answers a query.
type reply struct {
	*dns.Msg
	age uint32 // seconds since it was made, where HTTP tells
}

// A style says how to write queries.
type style struct {
	edns, mixCase bool
	pad           bool
	zeroID        bool // RFC 8484 section 4.1: HTTP needs no id, and can keep answers that have none
}

// newQuery writes a query with an id that can't be guessed.
func newQuery(q question, s style) (*query, error) {
	out := &query{question: q, sent: q.name, edns: s.edns, exact: s.mixCase}
	random := make([]byte, 2+len(q.name)) // rand.Read never fails
	_, _ = rand.Read(random)
	if !s.zeroID {
		out.id = binary.BigEndian.Uint16(random)
	}
	if s.mixCase {
		out.sent = mixCase(q.name, random[2:])
	}
	m := &dns.Msg{Question: []dns.Question{{Name: out.sent, Qtype: q.qtype, Qclass: dns.ClassINET}}}
	m.Id, m.RecursionDesired = out.id, true
	if s.edns {
		m.SetEdns0(udpSize, false)
	}
	if s.edns && s.pad {
		pad(m)
	}
	var err error
	out.wire, err = m.Pack()
	return out, err
}

func mixCase(name string, random []byte) string {
	b := []byte(name)
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c &^ (random[i] & 1 << 5)
		}
	}
	return string(b)
}

func pad(m *dns.Msg) {
	const header = 4 // of the option
	option := &dns.EDNS0_PADDING{Padding: make([]byte, (padding-(m.Len()+header)%padding)%padding)}
	opt := m.IsEdns0()
	opt.Option = append(opt.Option, option)
}

var (
	// errForeign is a message that does not answer the query: it was meant for another one, or is an attempt to be
	// taken for an answer.
	errForeign = errors.New("the message is no answer to the question")
	// errMalformed is an answer that can't be read.
	errMalformed = errors.New("the answer is malformed")
)

const headerSize = 12

// read takes a message for the answer to q, if it is that (RFC 5452 section 4.2: the id and the whole question; address
// and port are the socket's matter). A truncated one need not be readable behind the question.
func (q *query) read(message []byte) (*reply, error) {
	if len(message) < headerSize || binary.BigEndian.Uint16(message) != q.id {
		return nil, errForeign
	}
	m := new(dns.Msg)
	err := m.Unpack(message)
	switch {
	case !m.Response || m.Opcode != dns.OpcodeQuery || !q.answeredBy(m):
		return nil, errForeign
	case err != nil && !m.Truncated:
		return nil, errMalformed
	}
	return &reply{Msg: m}, nil
}

// answeredBy compares the questions. A server that could not read the question, or would not, may leave it out.
func (q *query) answeredBy(m *dns.Msg) bool {
	if len(m.Question) == 0 {
		return m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError && len(m.Answer) == 0
	}
	if len(m.Question) != 1 {
		return false
	}
	asked := m.Question[0]
	same := asked.Name == q.sent || !q.exact && strings.EqualFold(asked.Name, q.sent)
	return same && asked.Qtype == q.qtype && asked.Qclass == dns.ClassINET
}
