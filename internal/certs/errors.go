package certs

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"unicode"
)

// A FileError says what is wrong with a file or directory, and what to do. The text never has key material in it.
type FileError struct {
	Which string // what the file was named as: "certificate", "privateKey", "chain", "path" or "trustRoots"
	Path  string
	Err   error
}

// Error tells the path and what is wrong with it, in one line.
func (e *FileError) Error() string { return printable(e.Path) + " " + e.Err.Error() }

// Unwrap returns what is wrong, without the path.
func (e *FileError) Unwrap() error { return e.Err }

// A failure is an error whose text is for operators and which is still what the system said.
type failure struct {
	text string
	err  error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.err }

// explain turns what the system says of a path into words that tell what to do.
func explain(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &failure{"does not exist, or is a link to what does not: correct the path or put the file there", err}
	case errors.Is(err, fs.ErrPermission):
		return &failure{"may not be read by this process: give its user the right to read the file and to enter the directories above it", err}
	case errors.Is(err, errNotRegular):
		return &failure{"is not a regular file: name a file with PEM in it", err}
	}
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		// The path stands before the text already.
		return &failure{"can't be read: " + pathError.Err.Error(), err}
	}
	return err
}

// A list is several errors as one, in one line.
type list []error

func (l list) Error() string {
	const most = 16
	var texts []string
	for _, err := range l[:min(len(l), most)] {
		texts = append(texts, err.Error())
	}
	if len(l) > most {
		texts = append(texts, fmt.Sprintf("and %d more", len(l)-most))
	}
	return strings.Join(texts, "; ")
}

func (l list) Unwrap() []error { return l }

// join leaves out what is nil and what was said before.
func join(errs ...error) error {
	var out list
	said := map[string]bool{}
	for _, err := range errs {
		if err != nil && !said[err.Error()] {
			said[err.Error()] = true
			out = append(out, err)
		}
	}
	switch len(out) {
	case 0:
		return nil
	case 1:
		return out[0]
	default:
		return out
	}
}

// text is what an error says, "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// printable returns text that came from a file or a path as it can be shown: quoted where it has control characters,
// and at most 256 bytes of it.
func printable(text string) string {
	if len(text) > 256 {
		text = strings.ToValidUTF8(text[:256], "") + "…"
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.QuoteToGraphic(text)
	}
	return text
}

func fault(which, path, format string, args ...any) error {
	return &FileError{Which: which, Path: path, Err: fmt.Errorf(format, args...)}
}
