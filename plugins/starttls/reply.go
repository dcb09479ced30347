package starttls

import (
	"slices"
	"strings"
)

// replyLine is the longest line of a reply of SMTP (RFC 5321 section 4.5.3.1.5), POP3 (RFC 2449 sections 4 and 5) and IRC
// (RFC 2812 section 2.3), in bytes with its end. NNTP bounds the first line of a reply only (RFC 3977 section 3.1), and has the
// bound that all have.
const replyLine = 512

// A reply is what a server answers in a protocol whose replies begin with three digits.
type reply struct {
	code string
	text []string // of each line, without the code
	line string   // the last one, as it came
}

// judge compares a reply with those that are wanted. Another one that says no is a refusal.
func (d *dialogue) judge(r reply, want ...string) error {
	switch {
	case slices.Contains(want, r.code):
		return nil
	case r.code == "421", r.code == "400": // the server ends the connection: SMTP and FTP, NNTP
		return d.farewell(r.line)
	case r.code[0] == '4' || r.code[0] == '5':
		return d.refused(r.line)
	}
	return d.broken(r.line, "%s where %s is due", r.code, strings.Join(want, " or "))
}

// refused is a refusal of TLS, or, where the server says it in place of a greeting, of all.
func (d *dialogue) refused(line string) error {
	if d.stage == StageGreeting {
		return d.farewell(line)
	}
	return d.fail(ErrRefused, line)
}

// farewell is a refusal after which there is no connection.
func (d *dialogue) farewell(line string) error {
	d.over = true
	return d.fail(ErrRefused, line)
}

// ask writes a line to a server that has nothing more to say: what it says before it is asked is not its answer.
func (d *dialogue) ask(format string, args ...any) error {
	if err := d.clean(); err != nil {
		return err
	}
	return d.say(format, args...)
}

// status reads a reply of one line.
func (d *dialogue) status() (reply, error) {
	line, err := d.line()
	if err != nil {
		return reply{}, err
	}
	code, text, more, ok := splitReply(line)
	if !ok || more {
		return reply{}, d.broken(line, "no reply of three digits")
	}
	return reply{code, []string{text}, line}, nil
}

// splitReply takes a line of a reply apart. The text may be missing, with the space before it.
func splitReply(line string) (code, text string, more, ok bool) {
	if len(line) < 3 || line[0] < '1' || line[0] > '5' || !isDigit(line[1]) || !isDigit(line[2]) {
		return "", "", false, false
	}
	code, rest := line[:3], line[3:]
	switch {
	case rest == "":
		return code, "", false, true
	case rest[0] == ' ', rest[0] == '-':
		return code, rest[1:], rest[0] == '-', true
	}
	return "", "", false, false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// listed reads the lines up to the one with nothing but a dot (RFC 1939 section 3, RFC 3977 section 3.1.1), one of which has
// to offer what the keyword stands for.
func (d *dialogue) listed(keyword string) error {
	var lines []string
	for len(lines) < maxLines {
		line, err := d.line()
		switch {
		case err != nil:
			return err
		case line == "." && offered(lines, keyword):
			return nil
		case line == ".":
			return d.fail(ErrNotOffered, "")
		case strings.HasPrefix(line, ".") && !strings.HasPrefix(line, ".."):
			return d.broken(line, "a line of a list begins with one dot")
		}
		lines = append(lines, line)
	}
	return d.broken("", "a list of more than %d lines", maxLines)
}

// offered reports whether one of the lines begins with the keyword as a word.
func offered(lines []string, keyword string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return keyed(line, keyword) })
}

// keyed reports whether the first word of the line is the keyword.
func keyed(line, keyword string) bool {
	word, _, _ := strings.Cut(line, " ")
	return strings.EqualFold(word, keyword)
}

// list writes what [dialogue.listed] reads.
func list(first string, lines []string) string {
	text := first + "\r\n"
	for _, line := range lines {
		if strings.HasPrefix(line, ".") {
			text += "."
		}
		text += line + "\r\n"
	}
	return text + "."
}

// atLeast puts those defaults in front of the capabilities whose keywords are not among them.
func atLeast(capabilities []string, defaults ...string) []string {
	missing := slices.DeleteFunc(slices.Clone(defaults), func(line string) bool {
		word, _, _ := strings.Cut(line, " ")
		return offered(capabilities, word)
	})
	return append(missing, capabilities...)
}

// takeCommand takes a line of a client apart.
func takeCommand(line string) (command, parameters string) {
	command, parameters, _ = strings.Cut(line, " ")
	return strings.ToUpper(command), parameters
}
