//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package fdpass

import "os"

// Supported reports whether descriptors can be passed on this system.
const Supported = false

// Pair returns ErrUnsupported.
func Pair() (*Conn, *os.File, error) { return nil, nil, ErrUnsupported }

// New returns ErrUnsupported.
func New(*os.File) (*Conn, error) { return nil, ErrUnsupported }

// Listening returns false.
func Listening(*os.File) bool { return false }

// StreamPair and DatagramPair return ErrUnsupported.
func StreamPair() (a, b *os.File, err error)   { return nil, nil, ErrUnsupported }
func DatagramPair() (a, b *os.File, err error) { return nil, nil, ErrUnsupported }

func (c *Conn) writeMessage([]byte, int) error { return ErrUnsupported }

func (c *Conn) receive() (message, *os.File, error) { return message{}, nil, ErrUnsupported }
