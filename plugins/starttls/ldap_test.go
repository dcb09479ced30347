package starttls

import (
	"strings"
	"testing"
)

var (
	ldapRequestBytes = bytesOf(`301d 020101 7718 8016 "1.3.6.1.4.1.1466.20037"`)
	ldapGoAhead      = bytesOf("300c 020101 7807 0a0100 0400 0400")
	// Active Directory gives all lengths in four bytes, and the name of the operation.
	ldapGoAheadAD = bytesOf(`3084 00000028 020101 7884 0000001f 0a0100 0400 0400 8a16 "1.3.6.1.4.1.1466.20037"`)
)

func TestLDAPClient(t *testing.T) {
	ask := func(reply string) []turn { return []turn{{ldapRequestBytes, bytesOf(reply)}} }
	exchangeAll(t, "ldap", clientOf(t, "ldap"), unmasked, []exchange{
		{"success", ask("300c 020101 7807 0a0100 0400 0400"), nil, "", ""},
		{"success with a name", []turn{{ldapRequestBytes, ldapGoAheadAD}}, nil, "", ""},
		{"success with texts", ask(`3012 020101 780d 0a0100 0403 "o=x" 0403 "yes"`), nil, "", ""},
		{"success with controls", ask("300e 020101 7807 0a0100 0400 0400 a000"), nil, "", ""},
		// ST-01
		{"a response behind success", ask("300c 020101 7807 0a0100 0400 0400 300c 020102 6107 0a0100 0400 0400"), ErrInjection, StageUpgrade, ""},
		// ST-04, ST-15
		{"protocolError", ask("300c 020101 7807 0a0102 0400 0400"), ErrNotOffered, StageUpgrade, "-"},
		{"operationsError", ask("300c 020101 7807 0a0101 0400 0400"), ErrRefused, StageUpgrade, "-"},
		{"unavailable", ask(`3010 020101 780b 0a0134 0400 0404 "busy"`), ErrRefused, StageUpgrade, "-"},
		{"a referral", ask(`3018 020101 7813 0a010a 0400 0400 a30a 0408 "ldap://x"`), ErrRefused, StageUpgrade, "-"},
		{"a notice of disconnection", ask(`3024 020100 781f 0a0134 0400 0400 8a16 "1.3.6.1.4.1.1466.20036" ""`), ErrRefused, StageUpgrade, ""},
		// ST-09
		{"another messageID", ask("300c 020102 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"the messageID 0", ask("300c 020100 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a BindResponse", ask("300c 020101 6107 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"another operation's name", ask(`3010 020101 780b 0a0100 0400 0400 8a02 "1."`), ErrProtocol, StageUpgrade, ""},
		{"nothing", ask(""), ErrProtocol, StageUpgrade, ""},
		{"half a response", ask("300c 020101 7807 0a01"), ErrProtocol, StageUpgrade, ""},
		// ST-15
		{"an indefinite length", ask("3080 020101 7807 0a0100 0400 0400 0000"), ErrProtocol, StageUpgrade, ""},
		{"a length of 4 GiB", ask("3084 ffffffff"), ErrProtocol, StageUpgrade, ""},
		{"a length of five bytes", ask("3085 0000000001 00"), ErrProtocol, StageUpgrade, ""},
		{"4097 bytes", ask("3082 1001"), ErrProtocol, StageUpgrade, ""},
		{"a length that is reserved", ask("30ff"), ErrProtocol, StageUpgrade, ""},
		{"an inner indefinite length", ask("300e 020101 7880 0a0100 0400 0400 0000"), ErrProtocol, StageUpgrade, ""},
		{"an inner length too large", ask("300c 020101 7808 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a tag of several bytes", ask("300c 020101 7f38 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a SET", ask("310c 020101 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"an empty SEQUENCE", ask("3000"), ErrProtocol, StageUpgrade, ""},
		{"no operation", ask("3003 020101"), ErrProtocol, StageUpgrade, ""},
		{"two operations", ask("3015 020101 7807 0a0100 0400 0400 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"an INTEGER for the code", ask("300c 020101 7807 020100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a code without bytes", ask("300b 020101 7806 0a00 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a negative code", ask("300c 020101 7807 0a0180 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a code of five bytes", ask("3010 020101 780b 0a050000000000 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"zeros before the code", ask("300d 020101 7808 0a020000 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a messageID without bytes", ask("300b 0200 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"a code alone", ask("3008 020101 7803 0a0100"), ErrProtocol, StageUpgrade, ""},
		{"HTTP", ask(`"HTTP/1.1 400 Bad Request"`), ErrProtocol, StageUpgrade, ""},
	})
}

// ST-22: the server's text is part of the error, quoted.
func TestLDAPDiagnosticMessage(t *testing.T) {
	conn := &scriptedConn{turns: []turn{{ldapRequestBytes, bytesOf(`3012 020101 780d 0a0134 0400 0406 "no" 1b "[2J"`)}}}
	err := clientOf(t, "ldap")(newDialogue(conn, "ldap"))
	if err == nil || !strings.Contains(err.Error(), `result code 52 (the peer said "no\x1b[2J")`) {
		t.Errorf("%v", err)
	}
}

func TestLDAPServer(t *testing.T) {
	const start = `8016 "1.3.6.1.4.1.1466.20037"`
	// control is a list with a control, by what stands behind its name: three bytes.
	control := func(rest string) string { return `a00a 3008 0403 "1.2"` + rest }
	says := func(turns ...string) []turn {
		all := []turn{{"", bytesOf(turns[0])}}
		for i := 1; i < len(turns); i += 2 {
			all = append(all, turn{bytesOf(turns[i]), bytesOf(turns[i+1])})
		}
		return all
	}
	exchangeAll(t, "ldap", serverOf(t, "ldap", nil), unmasked, []exchange{
		{"StartTLS", []turn{{"", ldapRequestBytes}, {ldapGoAhead, ""}}, nil, "", ""},
		{"a large messageID", says("3020 02047fffffff 7718"+start, "300f 02047fffffff 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"a messageID of two bytes", says("301e 02020080 7718"+start, "300d 02020080 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"lengths in four bytes", says("3084 00000021 020101 7784 00000018"+start, "300c 020101 7807 0a0100 0400 0400", ""), nil, "", ""},
		// RFC 4511 appendix A: what needs TLS is refused by confidentialityRequired.
		{"a bind first", says("300c 020101 6007 020103 0400 8000", "300c 020101 6107 0a010d 0400 0400", "301d 020102 7718"+start, "300c 020102 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"a search", says("3005 020102 6300", "300c 020102 6507 0a010d 0400 0400", "3005 020103 4200"), errLeft, StageUpgrade, ""},
		{"a delete", says("3005 020102 4a00", "300c 020102 6b07 0a010d 0400 0400", "3005 020103 4200"), errLeft, StageUpgrade, ""},
		{"another extended operation", says(`3008 020102 7703 8001 "x"`, "300c 020102 7807 0a010d 0400 0400", "3005 020103 4200"), errLeft, StageUpgrade, ""},
		{"an abandon is not answered", says("3006 020102 500101 3005 020103 4200"), errLeft, StageUpgrade, ""},
		{"an unbind", says("3005 020101 4200"), errLeft, StageUpgrade, ""},
		// RFC 4511 section 4.1.11: who does not know a critical control does not do what it is asked.
		{"a critical control", says("3029 020101 7718"+start+control("0101ff"), "300c 020101 7807 0a010c 0400 0400", "301d 020102 7718"+start, "300c 020102 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"a critical control of a bind", says("3018 020101 6007 020103 0400 8000"+control("010101"), "300c 020101 6107 0a010c 0400 0400", "3005 020103 4200"), errLeft, StageUpgrade, ""},
		{"a control that is not critical", says("3029 020101 7718"+start+control("010100"), "300c 020101 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"a control that does not say", says("3029 020101 7718"+start+control(`0401 "v"`), "300c 020101 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"no controls", says("301f 020101 7718"+start+"a000", "300c 020101 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"an unbind with a critical control", says("3011 020101 4200" + control("0101ff")), errLeft, StageUpgrade, ""},
		{"a control without a name", says("3021 020101 7718" + start + "a002 3000"), ErrProtocol, StageUpgrade, ""},
		{"a name for a control", says("3021 020101 7718" + start + "a002 0400"), ErrProtocol, StageUpgrade, ""},
		{"a BOOLEAN of no byte", says("3029 020101 7718" + start + control("0100 05")), ErrProtocol, StageUpgrade, ""},
		{"a control that says it twice", says("302c 020101 7718" + start + "a00d 300b 0403 \"1.2\" 0101ff 0101ff"), ErrProtocol, StageUpgrade, ""},
		{"a control too long for its list", says("3021 020101 7718" + start + "a002 3003"), ErrProtocol, StageUpgrade, ""},
		// ST-02
		{"a bind behind StartTLS", says("301d 020101 7718" + start + "300c 020102 6007 020103 0400 8000"), ErrInjection, StageUpgrade, ""},
		{"TLS behind StartTLS", says("301d 020101 7718" + start + "16"), ErrInjection, StageUpgrade, ""},
		{"a bind before StartTLS in one piece", says("300c 020101 6007 020103 0400 8000 301d 020102 7718"+start, "300c 020101 6107 0a010d 0400 0400", "", "300c 020102 7807 0a0100 0400 0400", ""), nil, "", ""},
		{"the messageID 0", says("301d 020100 7718" + start), ErrProtocol, StageUpgrade, ""},
		{"StartTLS with a value", says("301f 020101 771a" + start + "8100"), ErrProtocol, StageUpgrade, ""},
		{"no name", says("3005 020101 7700"), ErrProtocol, StageUpgrade, ""},
		{"another tag for the name", says("3007 020101 7702 0400"), ErrProtocol, StageUpgrade, ""},
		{"a name too long for its request", says("3007 020101 7702 8016"), ErrProtocol, StageUpgrade, ""},
		{"an unknown operation", says("3005 020101 7f00"), ErrProtocol, StageUpgrade, ""},
		{"a response", says("300c 020101 7807 0a0100 0400 0400"), ErrProtocol, StageUpgrade, ""},
		{"33 abandons", says(strings.Repeat("3006 020102 500101", 33)), ErrProtocol, StageUpgrade, ""},
		{"HTTP", says(`"GET / HTTP/1.1"`), ErrProtocol, StageUpgrade, ""},
		{"TLS at once", says("160301"), ErrProtocol, StageUpgrade, ""},
	})
	bind := bytesOf("300c 020101 6007 020103 0400 8000")
	exchangeAll(t, "ldap", serverOf(t, "ldap", plainToo), unmasked, []exchange{
		{"a bind, plain", []turn{{"", bind + "more"}}, ErrRefused, StageUpgrade, bind + "more"},
		{"StartTLS with a critical control, plain", []turn{{"", bytesOf("3029 020101 7718" + start + control("0101ff"))}, {bytesOf("300c 020101 7807 0a010c 0400 0400"), bind}}, ErrRefused, StageUpgrade, bind},
		{"StartTLS, plain", []turn{{"", ldapRequestBytes}, {ldapGoAhead, ""}}, nil, "", ""},
	})
}
