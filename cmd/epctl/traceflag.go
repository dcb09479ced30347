package main

import (
	"fmt"

	"github.com/alecthomas/kong"
)

// A traceFlag is --trace or --trace=json; "" where neither is given.
type traceFlag string

const (
	traceText traceFlag = "text"
	traceJSON traceFlag = "json"
)

// IsBool lets kong take the flag without a value.
func (t *traceFlag) IsBool() bool { return true }

func (t *traceFlag) choices() []string { return []string{string(traceText), string(traceJSON)} }

// Decode is called by kong.
func (t *traceFlag) Decode(ctx *kong.DecodeContext) error {
	if ctx.Scan.Peek().Type != kong.FlagValueToken {
		*t = traceText
		return nil
	}
	switch v := traceFlag(ctx.Scan.Pop().String()); v {
	case traceText, traceJSON:
		*t = v
		return nil
	default:
		return fmt.Errorf("%q is neither text nor json", string(v))
	}
}
