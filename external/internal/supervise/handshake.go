package supervise

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/epctl/endpoint/external/internal/wire"
)

// maxHandshake is more than the line has that a plugin says first: its certificate is the longest part.
const maxHandshake = 8 << 10

var errLongHandshake = errors.New("the first line is too long")

// A handshake is the standard output of a plugin: one line is read of it, and all that follows is thrown away.
type handshake struct {
	pipe io.ReadCloser

	mu   sync.Mutex
	line []byte
	done bool
}

func (h *handshake) Read(b []byte) (int, error) {
	n, err := h.pipe.Read(b)
	h.mu.Lock()
	done := h.done
	h.mu.Unlock()
	if done {
		return h.discard(b, err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	line, _, whole := bytes.Cut(b[:n], []byte("\n"))
	h.line = append(h.line, line...)
	if h.done = whole; whole {
		n = len(line) + 1
	}
	if len(h.line) > maxHandshake {
		return 0, errLongHandshake
	}
	return n, err
}

func (h *handshake) discard(b []byte, err error) (int, error) {
	for err == nil {
		_, err = h.pipe.Read(b)
	}
	return 0, err
}

func (h *handshake) Close() error { return h.pipe.Close() }

// problem says what is wrong with the first line, "" where nothing is, or where it is not all there.
func (h *handshake) problem(versions []int) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	parts := strings.Split(strings.TrimSpace(string(h.line)), "|")
	switch {
	case len(h.line) > maxHandshake:
		return fmt.Sprintf("what it says first is longer than %d bytes", maxHandshake)
	case len(h.line) == 0:
		return ""
	case len(parts) < 5:
		return fmt.Sprintf("it says %q, and not what a plugin says first", wire.Clean(string(h.line), 100))
	case parts[4] != "grpc":
		return fmt.Sprintf("it speaks %q, not grpc", wire.Clean(parts[4], 20))
	}
	version, err := strconv.Atoi(parts[1])
	if err != nil {
		return fmt.Sprintf("its version %q is no number", wire.Clean(parts[1], 20))
	}
	for _, v := range versions {
		if v == version {
			return ""
		}
	}
	return fmt.Sprintf("it speaks version %d of the plugin interface, and this program speaks %s", version, span(versions))
}

func span(versions []int) string {
	first, last := versions[0], versions[len(versions)-1]
	if first == last {
		return fmt.Sprintf("version %d only", first)
	}
	return fmt.Sprintf("versions %d to %d", first, last)
}

func itoa(n int) string { return strconv.Itoa(n) }
