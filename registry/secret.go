package registry

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const redacted = "***"

// maxSecret is the largest secret that is read from a file, in bytes.
const maxSecret = 64 << 10

// A Secret is a value that must not be seen: every way to print it gives "***". The text in the endpoint string is the
// secret itself, or says where it is read from when it is used: env:NAME, a variable of the environment; file:PATH, a
// file; fd:N, a file descriptor that the program was started with. A secret that starts with one of these words itself
// is written with text: before it. What is read is taken as it is and never parsed again.
type Secret struct {
	// Package fmt does not call the methods of a value in an unexported field, and packages that print or compare values
	// in depth follow pointers there; into a function none can look.
	text func() string
}

// NewSecret makes the secret that text stands for in an endpoint string; "" is no secret.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{func() string { return text }}
}

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// Inline reports whether the secret itself stands in the string, for all to read who can read the string.
func (s Secret) Inline() bool {
	source, _ := s.split()
	return !s.IsZero() && source == ""
}

func (s Secret) split() (source, rest string) {
	if s.IsZero() {
		return "", ""
	}
	source, rest, ok := strings.Cut(s.text(), ":")
	switch {
	case ok && (source == "env" || source == "file" || source == "fd"):
		return source, rest
	case ok && source == "text":
		return "", rest
	}
	return "", s.text()
}

// problem says what is wrong with where the secret is read from, as far as that shows without reading it.
func (s Secret) problem() string {
	switch source, rest := s.split(); {
	case source == "env" && (rest == "" || strings.Contains(rest, "=")):
		return "env: is followed by the name of a variable, which has no equals sign"
	case source == "file" && rest == "":
		return "file: is followed by a path"
	case source == "fd" && (rest == "" || digits(rest) != nil):
		return "fd: is followed by the number of a file descriptor"
	}
	return ""
}

// Reveal returns the secret, read anew each time. One newline at its end is left out where it comes from a file. A
// variable that is not set is an error, one that is empty is not; a file must be a regular one that group and others
// can't read, of at most 64 KiB.
func (s Secret) Reveal(ctx context.Context) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if problem := s.problem(); problem != "" {
		return "", errorf("%s", problem)
	}
	source, rest := s.split()
	switch source {
	case "env":
		value, ok := os.LookupEnv(rest)
		if !ok {
			return "", errorf("the environment variable %s of a secret is not set", quoted(rest))
		}
		return value, nil
	case "file":
		return readSecretFile(rest)
	case "fd":
		return readSecretDescriptor(ctx, rest)
	}
	return rest, nil
}

func readSecretFile(path string) (string, error) {
	f, err := openSecret(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", errorf("the secret's file %s is not a regular file", quoted(path))
	}
	// Windows has no such bits: os makes them up.
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return "", errorf("the secret's file %s has mode %04o: only its owner may have access (chmod 600)",
			quoted(path), info.Mode().Perm())
	}
	return readSecret(f, path)
}

func readSecretDescriptor(ctx context.Context, number string) (string, error) {
	if runtime.GOOS == "windows" {
		return "", errorf("a secret can't be read from a file descriptor on windows: use file: or env:")
	}
	path := "/dev/fd/" + number
	f, err := openSecret(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Now()) })
	defer stop()
	secret, err := readSecret(f, path)
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	return secret, err
}

// openSecret opens path without waiting for a writer where it is a FIFO.
func openSecret(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
}

func readSecret(r io.Reader, name string) (string, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(data) > maxSecret {
		return "", errorf("the secret in %s is larger than %d bytes", quoted(name), maxSecret)
	}
	secret, newline := strings.CutSuffix(string(data), "\n")
	if newline {
		secret = strings.TrimSuffix(secret, "\r")
	}
	return secret, nil
}

// String returns "***", or "" for no secret.
func (s Secret) String() string {
	if s.IsZero() {
		return ""
	}
	return redacted
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// Format writes "***" for every verb and flag.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText gives "***".
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue gives "***".
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
