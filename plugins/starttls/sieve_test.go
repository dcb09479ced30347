package starttls

import (
	"strings"
	"testing"
)

func TestSieveClient(t *testing.T) {
	const (
		list  = "< \"IMPLEMENTATION\" \"x (y) \\\"z\\\\\"\n< \"SIEVE\" \"fileinto {3}\"\n< \"STARTTLS\"\n"
		start = list + "< OK\n> STARTTLS\n"
		plain = "\"IMPLEMENTATION\" \"x (y) \\\"z\\\\\"\r\n\"SIEVE\" \"fileinto {3}\"\r\n\"STARTTLS\"\r\nOK\r\n"
	)
	asClient(t, "sieve", []talk{
		{"go-ahead", start + "< OK \"begin\"\n", nil, "", ""},
		{"words in lower case", "< \"starttls\"\n< ok \"ready\"\n> STARTTLS\n< ok\n", nil, "", ""},
		{"codes", "< \"STARTTLS\"\n< OK (WARNINGS/X (a \"b\" (c))) \"x\"\n> STARTTLS\n< OK (TAG {2}\n< ab) \"done\"\n", nil, "", ""},
		{"literals", "< {8}\n< STARTTLS\n< \"SASL\" {0}\n< \n< \"X\" {12}\n< a\n< OK\n< \"Y\"\n< \n< OK {2}\n< hi\n> STARTTLS\n< OK {5}\n< begin\n", nil, "", ""},
		// ST-01
		{"capabilities behind the go-ahead", start + "< OK\n< \"SASL\" \"PLAIN\"\n< OK\n", ErrInjection, StageUpgrade, ""},
		{"a go-ahead before the question", list + "< OK\n< OK\n", ErrInjection, StageUpgrade, ""},
		{"a byte behind the literal of the go-ahead", start + "<< OK {2}\r\nok\r\nx", ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", "< \"SASL\" \"STARTTLS\"\n< OK\n", ErrNotOffered, StageCapability, "\"SASL\" \"STARTTLS\"\r\nOK\r\n"},
		{"an offer in a literal that is a value", "< \"SASL\" {10}\n< \"STARTTLS\"\n< \n< OK\n", ErrProtocol, StageGreeting, ""},
		{"refused", start + "< NO \"not now\"\n", ErrRefused, StageUpgrade, plain},
		{"a referral", start + "< BYE (REFERRAL \"sieve://evil\") \"there\"\n", ErrRefused, StageUpgrade, ""},
		{"no service", "< BYE \"full\"\n", ErrRefused, StageGreeting, ""},
		{"NO for a greeting", "< NO\n", ErrRefused, StageGreeting, ""},
		// ST-07
		{"capabilities before the answer", start + "< \"SASL\" \"PLAIN\"\n< OK\n", ErrProtocol, StageUpgrade, ""},
		{"another status", start + "< OKAY\n", ErrProtocol, StageUpgrade, ""},
		{"a status as a string", start + "< \"OK\"\n", ErrProtocol, StageUpgrade, ""},
		{"capabilities for ever", many(128, "< \"X\""), ErrProtocol, StageGreeting, ""},
		{"three strings", "< \"A\" \"B\" \"C\"\n", ErrProtocol, StageGreeting, ""},
		{"an atom for a name", "< STARTTLS\n", ErrProtocol, StageGreeting, ""},
		{"a string without an end", "< \"STARTTLS\n", ErrProtocol, StageGreeting, ""},
		{"a long string", "< \"" + strings.Repeat("x", 1025) + "\"\n", ErrProtocol, StageGreeting, ""},
		{"a long literal", "< {4097}\n", ErrProtocol, StageGreeting, ""},
		{"a very long literal", "< {99999999999999999999}\n", ErrProtocol, StageGreeting, ""},
		{"literals without end", "<< " + strings.Repeat("OK ({4096}\r\n"+strings.Repeat("x", 4096)+" ", 17), ErrProtocol, StageGreeting, ""},
		{"a parenthesis without an end", "< OK (\"x\"\n", ErrProtocol, StageGreeting, ""},
		{"an empty code", "< OK ()\n", ErrProtocol, StageGreeting, ""},
		{"an empty line", "< \n", ErrProtocol, StageGreeting, ""},
		{"bare LF", "<< OK\n", ErrProtocol, StageGreeting, ""},
		{"NUL", "<< OK \"\x00\"\r\n", ErrProtocol, StageGreeting, ""},
		{"closed", start, ErrProtocol, StageUpgrade, ""},
	})
}

func TestScanOfManageSieve(t *testing.T) {
	for line, want := range map[string]string{
		`"STARTTLS"`:       `"STARTTLS`,
		`"A" "b\"\\c"`:     `"A "b"\c`,
		`OK (a "b") "c d"`: `aOK (( aa "b )) "c d`,
		`OK ((x) y)`:       `aOK (( (( ax )) ay ))`,
		`a {12}`:           `aa {12`,
	} {
		tokens, size, ok := scan(line, true)
		var got []string
		for _, t := range tokens {
			got = append(got, string(t.kind)+t.text)
		}
		if size >= 0 {
			got = append(got, "{12")
		}
		if text := strings.Join(got, " "); text != want || !ok || size != -1 && size != 12 {
			t.Errorf("%s: %s, %d, %v", line, text, size, ok)
		}
	}
	for _, line := range []string{
		``, ` `, ` x`, `x `, `x  y`, `"a""b"`, `"a"b`, `x"a"`, `"`, `"\`, `"\x"`, `"a\"`, `OK (`, `( x)`, `(x )`, `()x`, `{`, `{}`,
		`{1`, `{+1}`, `{-1}`, `{1+}`, `{1} x`, `x{1}`, `{0x1}`, `{ 1}`, `{4294967296}`,
	} {
		if tokens, size, ok := scan(line, true); ok {
			t.Errorf("%q is %q, %d", line, tokens, size)
		}
	}
}

func TestSieveServer(t *testing.T) {
	const (
		list     = "< \"IMPLEMENTATION\" \"endpoint\"\n< \"VERSION\" \"1.0\"\n< \"SASL\" \"\"\n< \"SIEVE\" \"\"\n< \"STARTTLS\"\n"
		greeting = list + "< OK \"server.test ManageSieve\"\n"
		goAhead  = "> STARTTLS\n< OK \"Begin TLS negotiation now\"\n"
	)
	asServer(t, "sieve", ourServer, []talk{
		{"upgrade", greeting + "> Capability\n" + list + "< OK \"Capability completed\"\n" + goAhead, nil, "", ""},
		{"commands without TLS", greeting + "> AUTHENTICATE \"PLAIN\"\n< NO (ENCRYPT-NEEDED) \"STARTTLS first\"\n> NOOP\n< OK \"NOOP completed\"\n> LOGOUT\n< OK \"Bye\"\n", errLeft, StageUpgrade, ""},
		{"a literal with a command in it", greeting + "> PUTSCRIPT \"x\" {10+}\n> STARTTLS\n> \n< BYE \"STARTTLS first\"\n", errLeft, StageUpgrade, ""},
		{"a login by a literal", greeting + "> AUTHENTICATE \"PLAIN\" {10+}\n> STARTTLS\n> \n< BYE (ENCRYPT-NEEDED) \"STARTTLS first\"\n", errLeft, StageUpgrade, ""},
		{"other commands without TLS", greeting + "> LISTSCRIPTS\n< NO \"STARTTLS first\"\n> UNKNOWN\n< NO \"STARTTLS first\"\n" + goAhead, nil, "", ""},
		{"a tag", greeting + "> noop \"a \\\"b\\\\ (c)\"\n< OK (TAG \"a \\\"b\\\\ (c)\") \"NOOP completed\"\n> NOOP \"\"\n< OK (TAG \"\") \"NOOP completed\"\n" + goAhead, nil, "", ""},
		{"no tag", greeting + "> NOOP x\n< NO \"STARTTLS first\"\n> NOOP \"a\" \"b\"\n< NO \"STARTTLS first\"\n> NOOP \"a\n< NO \"STARTTLS first\"\n> NOOP {3+}\n< BYE \"STARTTLS first\"\n", errLeft, StageUpgrade, ""},
		{"a command behind the upgrade", greeting + ">> STARTTLS\r\nNOOP\r\n", ErrInjection, StageUpgrade, ""}, // ST-02
		{"bare LF", greeting + ">> STARTTLS\n", ErrProtocol, StageUpgrade, ""},                                 // ST-08
	})
	asServer(t, "sieve", serverTerms{greeting: `say "hi"`, capabilities: []string{`IMPLEMENTATION a\b`, "SIEVE fileinto x", "UNAUTHENTICATE"}, plain: true}, []talk{
		{"what it is told", "< \"VERSION\" \"1.0\"\n< \"SASL\" \"\"\n< \"IMPLEMENTATION\" \"a\\\\b\"\n< \"SIEVE\" \"fileinto x\"\n< \"UNAUTHENTICATE\"\n< \"STARTTLS\"\n< OK \"say \\\"hi\\\"\"\n" + goAhead, nil, "", ""},
	})
}
