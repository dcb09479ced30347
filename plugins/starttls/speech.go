package starttls

import (
	"cmp"
	"errors"
	"strings"

	"github.com/epctl/endpoint/registry"
)

// speechProblem checks what a server is to say: it goes to the peer as it is.
func (p protocol) speechProblem(o serverOptions) error {
	problems := []error{wordProblem("host", cmp.Or(o.Host, nobody)), textProblem("greeting", o.Greeting), textProblem("capabilities", o.Capabilities...)}
	if o.Greeting != "" && !p.greeting {
		problems = append(problems, registry.Bad("greeting", "%s has no greeting", p.name).With("proto"))
	}
	if len(o.Capabilities) > 0 && !p.capabilities {
		problems = append(problems, registry.Bad("capabilities", "%s has no list of capabilities", p.name).With("proto"))
	}
	return errors.Join(problems...)
}

// nameProblem checks the name of a client, which not every protocol says.
func (p protocol) nameProblem(name string) error {
	switch {
	case name == "":
		return nil
	case !p.named:
		return registry.Bad("clientName", "has no place in %s", p.name).With("proto")
	}
	return wordProblem("clientName", name)
}

// maxSpeech is how long what a peer is told may be, in bytes, so that a line of any protocol has room for it.
const maxSpeech = 256

func textProblem(param string, texts ...string) error {
	for _, text := range texts {
		if len(text) > maxSpeech || strings.ContainsFunc(text, isControl) {
			return registry.Bad(param, "must be printable, and not longer than %d bytes", maxSpeech)
		}
	}
	return nil
}

// wordProblem checks a name that stands between spaces in a line.
func wordProblem(param, word string) error {
	if word == "" || len(word) > maxSpeech || strings.ContainsFunc(word, func(r rune) bool { return r == ' ' || isControl(r) }) {
		return registry.Bad(param, "must be a name without spaces, of 1 to %d bytes", maxSpeech)
	}
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
