package main

import (
	"encoding/binary"
	"io"
	"net"
)

// What a peer can be asked for, in a header of nine bytes with a number of bytes to go with it.
const (
	askEcho    = 'e' // one byte
	askSend    = 's' // to take so many bytes, and then to answer with one
	askReceive = 'r' // to send so many bytes

	headerSize = 9
	chunk      = 64 << 10
)

// A peer is a server on loopback that does what it is asked for.
type peer struct{ ln net.Listener }

func newPeer() (*peer, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &peer{ln}
	go p.run()
	return p, nil
}

func (p *peer) address() string { return p.ln.Addr().String() }
func (p *peer) close()          { _ = p.ln.Close() }

func (p *peer) run() {
	for {
		conn, err := p.ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for serve(conn) == nil {
			}
		}()
	}
}

// serve does one thing. The other side may turn its bytes around, which shows in the first.
func serve(conn net.Conn) error {
	var header [headerSize]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return err
	}
	if header[0] >= 0x80 {
		for i := range header {
			header[i] ^= 0xff
		}
	}
	n := int64(binary.BigEndian.Uint64(header[1:]))
	switch header[0] {
	case askSend:
		if err := take(conn, n); err != nil {
			return err
		}
	case askReceive:
		return give(conn, n)
	}
	_, err := conn.Write(header[:1])
	return err
}

// ask begins something on the other side of conn.
func ask(conn net.Conn, what byte, n int64) error {
	var header [headerSize]byte
	header[0] = what
	binary.BigEndian.PutUint64(header[1:], uint64(n))
	_, err := conn.Write(header[:])
	return err
}

func answer(conn net.Conn) error {
	var b [1]byte
	_, err := io.ReadFull(conn, b[:])
	return err
}

// take reads n bytes, and give writes them: by reads and writes of their own, which all kinds of connections have.
func take(conn net.Conn, n int64) error {
	buf := make([]byte, chunk)
	for n > 0 {
		got, err := conn.Read(buf[:min(n, chunk)])
		if err != nil {
			return err
		}
		n -= int64(got)
	}
	return nil
}

func give(conn net.Conn, n int64) error {
	buf := make([]byte, chunk)
	for n > 0 {
		sent, err := conn.Write(buf[:min(n, chunk)])
		if err != nil {
			return err
		}
		n -= int64(sent)
	}
	return nil
}
