package starttls

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"fmt"
)

// mysql is the SSLRequest of MySQL and MariaDB (MySQL Source Code Documentation, "Connection Phase": Protocol::HandshakeV10
// and Protocol::SSLRequest; MariaDB, "Connection"). The server greets, the client sends 36 bytes, and TLS begins without a
// reply: the first bytes of TLS may come in one piece with the request.
//
// After TLS the client sends its HandshakeResponse41 with the sequence number 2, and with the capabilities and the character
// set that the request had, [mysqlFlags] (0x8aa05) and [mysqlCharset] (45): the first 32 bytes are the same in both. The
// scramble of the greeting is forgotten, as all that was learnt in plain text, and a login does not need it: the client
// names an authentication method that its account does not have, say "none", with an empty answer, and the server sends an
// AuthSwitchRequest with the right method and a scramble, now in TLS ("Authentication Method Mismatch"). A driver that
// expects to read the greeting and to begin TLS by itself (go-sql-driver is one) can't be used over this endpoint, and has
// no need of it.
//
// In the same way a server behind this one does not know the scramble that its client has used: it answers the
// HandshakeResponse41 by an AuthSwitchRequest with a scramble of its own. The greeting offers [mysqlFlags] and
// CLIENT_CONNECT_WITH_DB.
//
// In the mode opportunistic a client reads the greeting, a server the HandshakeResponse41.
func mysql() protocol {
	return protocol{name: "mysql", greeting: true, client: mysqlClient, server: mysqlServer}
}

// Capabilities, as the Capabilities Flags of the documentation.
const (
	mysqlLongPassword     = 1 << 0
	mysqlLongFlag         = 1 << 2
	mysqlConnectWithDB    = 1 << 3
	mysqlProtocol41       = 1 << 9
	mysqlSSL              = 1 << 11
	mysqlTransactions     = 1 << 13
	mysqlSecureConnection = 1 << 15
	mysqlPluginAuth       = 1 << 19

	// mysqlFlags are what a client of today can't do without. They are the same for every server: what a server says in
	// plain text decides nothing but whether there is TLS. Were they cut to what the greeting offers, somebody on the way
	// could take away mysqlPluginAuth, say, and choose how the client has to prove inside TLS who it is.
	mysqlFlags = mysqlLongPassword | mysqlLongFlag | mysqlProtocol41 | mysqlSSL | mysqlTransactions | mysqlSecureConnection | mysqlPluginAuth
)

const (
	mysqlCharset    = 45          // utf8mb4_general_ci
	mysqlMaxPacket  = 1 << 24     // what the client takes
	mysqlHead       = 4           // bytes before a packet's payload: three of length, one of sequence number
	mysqlRequest    = 32          // bytes of an SSLRequest behind that
	mysqlError      = 0xff        // first byte of an ERR packet
	mysqlV10        = 10          // the protocol's version
	mysqlAutocommit = 2           // status of a server
	mysqlScramble   = 20          // bytes
	mysqlResponse   = 4 * maxLine // bytes of the longest HandshakeResponse41
)

func mysqlClient(d *dialogue, _ clientTerms) error {
	payload, sequence, err := d.mysqlPacket(d.next, maxLine)
	if err != nil {
		return err
	}
	if payload[0] == mysqlError {
		d.over = true
		return d.fail(ErrRefused, mysqlErrorText(payload))
	}
	if sequence != 0 {
		return d.broken("", "a greeting with the sequence number %d", sequence)
	}
	flags, err := mysqlOffer(payload)
	if err != nil {
		return d.broken(string(payload), "%w", err)
	}
	d.keep()
	if err := d.clean(); err != nil {
		return err
	}
	d.stage = StageCapability
	if flags&mysqlSSL == 0 {
		return d.fail(ErrNotOffered, "")
	}
	d.stage = StageUpgrade
	return d.write(mysqlSSLRequest())
}

// mysqlPacket reads a packet by read, which is next or exactly, with a payload of 1 to most bytes.
func (d *dialogue) mysqlPacket(read func(int) ([]byte, error), most int) (payload []byte, sequence byte, err error) {
	head, err := read(mysqlHead)
	if err != nil {
		return nil, 0, err
	}
	size := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if size == 0 || size > most {
		return nil, 0, d.broken(string(head), "a packet of %d bytes", size)
	}
	payload, err = read(size)
	return payload, head[3], err
}

// mysqlOffer returns the lower half of the capabilities of a greeting, a Protocol::HandshakeV10.
func mysqlOffer(p []byte) (uint16, error) {
	version, rest, ok := bytes.Cut(p[1:], []byte{0})
	const (
		filler   = 4 + 8                        // behind the thread's number and the first part of the scramble
		low      = filler + 1                   // half of the capabilities
		scramble = low + 2 + 1 + 2 + 2 + 1 + 10 // its second part, behind what is of no interest here
		least    = 12                           // bytes of that
	)
	switch {
	case p[0] != mysqlV10:
		return 0, fmt.Errorf("a greeting of version %d", p[0])
	case !ok || len(rest) < scramble:
		return 0, fmt.Errorf("a greeting that ends too early, with %d bytes", len(p))
	case rest[filler] != 0:
		return 0, fmt.Errorf("a greeting of %.64q with %#x behind the scramble", version, rest[filler])
	}
	flags := binary.LittleEndian.Uint16(rest[low:])
	switch {
	case flags&mysqlSSL != 0 && flags&mysqlProtocol41 == 0:
		return 0, fmt.Errorf("TLS without CLIENT_PROTOCOL_41")
	case flags&mysqlSecureConnection != 0 && len(rest) < scramble+least:
		return 0, fmt.Errorf("a greeting that ends in its scramble, with %d bytes", len(p))
	}
	return flags, nil
}

// mysqlErrorText is the text of an ERR packet, behind its number.
func mysqlErrorText(p []byte) string { return string(p[min(len(p), 3):]) }

func mysqlSSLRequest() []byte {
	p := binary.LittleEndian.AppendUint32(make([]byte, 0, mysqlRequest), mysqlFlags)
	p = binary.LittleEndian.AppendUint32(p, mysqlMaxPacket)
	p = append(p, mysqlCharset)
	return mysqlFrame(1, p[:mysqlRequest]) // the rest is reserved, and zero
}

// mysqlFrame makes a packet.
func mysqlFrame(sequence byte, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16), sequence}, payload...)
}

func mysqlServer(d *dialogue, t serverTerms) error {
	if err := d.write(mysqlGreeting(t.greet("8.0.0-endpoint"))); err != nil {
		return err
	}
	d.stage = StageUpgrade
	// What is behind an SSLRequest belongs to TLS, and stays with the connection.
	payload, sequence, err := d.mysqlPacket(d.exactly, mysqlResponse)
	switch {
	case err != nil:
		return err
	case sequence != 1:
		return d.broken("", "a request with the sequence number %d", sequence)
	case len(payload) < mysqlRequest:
		return d.broken("", "a request of %d bytes", len(payload))
	}
	flags := binary.LittleEndian.Uint32(payload)
	switch asked := flags&mysqlSSL != 0; {
	case flags&mysqlProtocol41 == 0:
		return d.broken("", "a client without CLIENT_PROTOCOL_41")
	case asked && len(payload) == mysqlRequest:
		return nil
	case asked || len(payload) == mysqlRequest:
		return d.broken("", "neither an SSLRequest nor a HandshakeResponse41")
	}
	return d.without(t, 0, mysqlFrame(2, mysqlRefusal()))
}

// mysqlGreeting is a Protocol::HandshakeV10.
func mysqlGreeting(version string) []byte {
	const flags = mysqlFlags | mysqlConnectWithDB
	scramble := rand.Text()[:mysqlScramble] // in printable characters, as MySQL has it
	p := append([]byte{mysqlV10}, version+"\x00"...)
	p = binary.LittleEndian.AppendUint32(p, 1) // the number of the thread
	p = append(append(p, scramble[:8]...), 0)
	p = binary.LittleEndian.AppendUint16(p, flags&0xffff)
	p = append(p, mysqlCharset, mysqlAutocommit, 0)
	p = binary.LittleEndian.AppendUint16(p, flags>>16)
	p = append(p, mysqlScramble+1)
	p = append(append(p, make([]byte, 10)...), scramble[8:]...)
	p = append(p, "\x00mysql_native_password\x00"...)
	return mysqlFrame(0, p)
}

// mysqlRefusal is an ERR packet with ER_SECURE_TRANSPORT_REQUIRED.
func mysqlRefusal() []byte {
	p := binary.LittleEndian.AppendUint16([]byte{mysqlError}, 3159)
	return append(p, "#HY000this server takes only connections with TLS"...)
}
