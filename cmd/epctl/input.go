package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
)

// maxRecord is the longest string that is read from stdin, in bytes: far above what a description may be, so that what
// is wrong with a longer one is told by package grammar about its beginning.
const maxRecord = 1 << 20

// A records reads strings with a separator behind each; it may be missing behind the last one.
type records struct {
	r         *bufio.Reader
	separator byte
}

func newRecords(r io.Reader, separator byte) *records {
	return &records{bufio.NewReaderSize(r, 64<<10), separator}
}

// next returns io.EOF after the last string. A carriage return before a newline is left out.
func (s *records) next() (string, error) {
	var record []byte
	for {
		part, err := s.r.ReadSlice(s.separator)
		record = append(record, part[:min(len(part), maxRecord+1-len(record))]...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(record) > 0:
		case err != nil:
			return "", err
		}
		record = bytes.TrimSuffix(record, []byte{s.separator})
		if s.separator == '\n' {
			record = bytes.TrimSuffix(record, []byte{'\r'})
		}
		return string(record), nil
	}
}

// ready says that next will not wait.
func (s *records) ready() bool {
	buffered, _ := s.r.Peek(s.r.Buffered())
	return bytes.IndexByte(buffered, s.separator) >= 0
}

// A text is a string that a verb was given.
type text struct {
	string
	line  int  // of stdin; 0 for an argument
	waits bool // more may come only later
}

// texts yields the arguments of a verb, with the lines of stdin for "-".
func (a *app) texts(args []string) iter.Seq2[text, error] {
	return func(yield func(text, error) bool) {
		for _, arg := range args {
			if arg != "-" {
				if !yield(text{string: arg}, nil) {
					return
				}
				continue
			}
			if !yieldLines(newRecords(a.stdin, '\n'), yield) {
				return
			}
		}
	}
}

func yieldLines(lines *records, yield func(text, error) bool) bool {
	for n := 1; ; n++ {
		s, err := lines.next()
		if errors.Is(err, io.EOF) {
			return true
		}
		if !yield(text{s, n, !lines.ready()}, err) || err != nil {
			return false
		}
	}
}
