package registry

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// badText says what is wrong with the text of a value, and where in it.
type badText struct {
	message    string
	fix        string // text to put in place of the part that is at fault
	part       bool   // only a part is at fault
	start, end int    // that part
	cause      error
}

func badf(format string, args ...any) *badText {
	return &badText{message: fmt.Sprintf(format, args...)}
}

func (b *badText) withFix(fix string) *badText {
	b.fix = fix
	return b
}

// decode turns the text of a value, or of a comma-separated list of them, into the Go value of its kind.
func (p *Param) decode(text string) (any, *badText) {
	if !p.List {
		return p.decodeOne(text)
	}
	values := []any{}
	if text == "" {
		return values, nil
	}
	start := 0
	for element := range strings.SplitSeq(text, ",") {
		v, bad := p.decodeOne(element)
		if bad != nil {
			if element == "" {
				bad.message = "a value is missing between commas, or before or after one"
			}
			bad.part, bad.start, bad.end = true, start, start+len(element)
			return nil, bad
		}
		values = append(values, v)
		start += len(element) + 1
	}
	return values, nil
}

func (p *Param) decodeOne(text string) (any, *badText) {
	if text == "" && (p.Enum != nil || p.Kind != KindText && p.Kind != KindSecret) {
		return nil, badf("is empty: %s", p.wants())
	}
	if p.Enum != nil && !slices.Contains(p.Enum, text) {
		return nil, badf("%s is not one of %s", quoted(text), strings.Join(p.Enum, ", ")).withFix(nearest(text, p.Enum))
	}
	switch p.Kind {
	case KindText:
		return p.decodeText(text)
	case KindBool:
		return decodeBool(text)
	case KindInt:
		return decodeInt(text, p.Bits)
	case KindUint:
		return decodeUint(text, p.Bits)
	case KindPort:
		return decodePort(text)
	case KindDuration:
		return decodeDuration(text)
	case KindSize:
		return decodeSize(text)
	case KindMode:
		return decodeMode(text)
	case KindAddress:
		return decodeAddress(text)
	case KindPrefix:
		return decodePrefix(text)
	case KindSecret:
		return decodeSecret(text)
	}
	return nil, badf("%s", p.wants())
}

// wants says in words what a value of the parameter looks like.
func (p *Param) wants() string {
	one := map[Kind]string{
		KindText: "a text", KindBool: "yes or no", KindInt: "a number", KindUint: "a number",
		KindPort: "a port number or the name of a service", KindDuration: "a duration such as 30, 1.5s or 250ms",
		KindSize: "a size such as 4096 or 64K", KindMode: "an octal file mode such as 660",
		KindAddress: "an IP address", KindPrefix: "an IP prefix such as 192.0.2.0/24", KindSecret: "a secret",
	}[p.Kind]
	if role := p.Kind.Role(); role != "" {
		one = "the description of a " + role.Noun()
	}
	if p.Enum != nil {
		one = "one of " + strings.Join(p.Enum, ", ")
	}
	if p.List && p.Kind.Role() == "" {
		return one + ", or several with commas between them"
	}
	return one
}

// quoted is text as error messages show it: short, and safe for a terminal.
func quoted(text string) string {
	const most = 60
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…" // the cut may split a character
	}
	return strconv.QuoteToGraphic(text)
}

func decodeSecret(text string) (any, *badText) {
	s := NewSecret(text)
	if problem := s.problem(); problem != "" {
		return nil, badf("%s", problem)
	}
	return s, nil
}

func (p *Param) decodeText(text string) (any, *badText) {
	if p.check != nil {
		if err := p.check(text); err != nil {
			bad := badf("%v", err)
			bad.cause = err
			return nil, bad
		}
	}
	return text, nil
}

func decodeBool(text string) (any, *badText) {
	switch strings.ToLower(text) {
	case "yes", "true", "on":
		return true, nil
	case "no", "false", "off":
		return false, nil
	}
	// Twisted reads its flags by bool(int(…)).
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return n != 0, nil
	}
	return nil, badf("%s is neither yes nor no", quoted(text)).withFix(nearest(text, []string{"yes", "no", "true", "false"}))
}

// digits checks that text is a plain decimal number: no space, underscore, sign or leading zero.
func digits(text string) *badText {
	if strings.TrimLeft(text, "0123456789") != "" {
		return badf("%s is not a decimal number", quoted(text)).withFix(plainNumber(text))
	}
	if len(text) > 1 && text[0] == '0' {
		return badf("a number does not start with 0").withFix(plainNumber(text))
	}
	return nil
}

// plainNumber is the number that was meant by text, "" where that is not clear.
func plainNumber(text string) string {
	plain := strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(text), "+"), "_", "")
	if plain == "" || strings.TrimLeft(plain, "0123456789") != "" {
		return ""
	}
	if plain = strings.TrimLeft(plain, "0"); plain == "" {
		return "0"
	}
	return plain
}

func decodeInt(text string, bits int) (any, *badText) {
	number, negative := strings.CutPrefix(text, "-")
	bad := digits(number)
	switch {
	case number == "":
		return nil, badf("%s is not a decimal number", quoted(text))
	case bad != nil && bad.fix != "" && negative:
		return nil, bad.withFix("-" + bad.fix)
	case bad != nil:
		return nil, bad
	}
	n, err := strconv.ParseInt(text, 10, bits)
	if err != nil {
		least := int64(math.MinInt64) >> (64 - bits)
		return nil, badf("%s is not between %d and %d", quoted(text), least, ^least)
	}
	return n, nil
}

func decodeUint(text string, bits int) (any, *badText) {
	if bad := digits(text); bad != nil {
		return nil, bad
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return nil, badf("%s is above %d", quoted(text), uint64(math.MaxUint64)>>(64-bits))
	}
	return n, nil
}

func decodePort(text string) (any, *badText) {
	if text[0] >= 'a' && text[0] <= 'z' || text[0] >= 'A' && text[0] <= 'Z' {
		if port, ok := servicePort(text); ok {
			return port, nil
		}
		return nil, badf("%s is not the name of a well-known service: give the port number", quoted(text)).
			withFix(nearest(text, serviceNames()))
	}
	if bad := digits(text); bad != nil {
		return nil, bad
	}
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil, badf("port %s is above 65535", quoted(text))
	}
	return uint16(n), nil
}

func decodeDuration(text string) (any, *badText) {
	withUnit := text
	if strings.Trim(text, "0123456789.") == "" {
		withUnit += "s"
	}
	d, err := time.ParseDuration(withUnit)
	switch {
	case err != nil && strings.Trim(text, "0123456789.") == "" && strings.Trim(text, ".") != "":
		return nil, badf("%s is too long a duration", quoted(text))
	case text[0] == '-':
		return nil, badf("a duration can't be negative")
	case err != nil || text[0] == '+':
		return nil, badf("%s is not a duration such as 30, 1.5s or 250ms", quoted(text))
	}
	return d, nil
}

func decodeSize(text string) (any, *badText) {
	number, shift := text, 0
	if i := strings.IndexByte("KMG", text[len(text)-1]&^0x20); i >= 0 {
		number, shift = text[:len(text)-1], 10*(i+1)
	}
	if number == "" || strings.TrimLeft(number, "0123456789") != "" {
		return nil, badf("%s is not a size such as 4096, 64K or 1M", quoted(text))
	}
	if bad := digits(number); bad != nil {
		return nil, bad
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n > math.MaxInt64>>shift {
		return nil, badf("%s is too large a size", quoted(text))
	}
	return n << shift, nil
}

func decodeMode(text string) (any, *badText) {
	if octal, ok := strings.CutPrefix(strings.ToLower(text), "0o"); ok {
		return nil, badf("a file mode is octal without a prefix").withFix(octal)
	}
	n, err := strconv.ParseUint(text, 8, 32)
	if err != nil || n > 0o7777 || strings.Contains(text, "_") {
		return nil, badf("%s is not an octal file mode such as 660", quoted(text))
	}
	mode := fs.FileMode(n & 0o777)
	for bit, goes := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			mode |= goes // package fs has a place of its own for each
		}
	}
	return mode, nil
}
