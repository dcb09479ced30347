package starttls

import (
	"strings"
	"testing"
)

var (
	tnDo      = bytesOf("fffd2e")
	tnDont    = bytesOf("fffe2e")
	tnWill    = bytesOf("fffb2e")
	tnWont    = bytesOf("fffc2e")
	tnFollows = bytesOf("fffa2e01fff0")
	// WONT TERMINAL-TYPE, DONT SUPPRESS-GO-AHEAD: what a server that takes only TLS says to tnOther.
	tnDeclined = bytesOf("fffc18 fffe03")
	tnOther    = bytesOf("fffd18 fffb03 fff1") // DO TERMINAL-TYPE, WILL SUPPRESS-GO-AHEAD, NOP
)

func TestTelnetClient(t *testing.T) {
	const no = "closed"
	agreed := func(rest string) []turn { return []turn{{"", tnDo}, {tnWill + tnFollows, rest}} }
	exchangeAll(t, "telnet", clientOf(t, "telnet"), unmasked, []exchange{
		{"go-ahead", agreed(tnFollows), nil, "", ""},
		{"asked by us, and offered", []turn{{"", tnOther[:3]}, {tnWill, tnDo}, {tnFollows, tnFollows}}, nil, "", ""},
		{"other options before FOLLOWS", agreed(tnOther + tnFollows), nil, "", ""},
		// ST-01
		{"text behind FOLLOWS", agreed(tnFollows + "login: "), ErrInjection, StageUpgrade, ""},
		{"FOLLOWS twice", agreed(tnFollows + tnFollows), ErrInjection, StageUpgrade, ""},
		// ST-04
		{"DONT", []turn{{"", tnDont}}, ErrNotOffered, StageCapability, tnDont},
		{"text", []turn{{"", "login: "}}, ErrNotOffered, StageCapability, "login: "},
		{"text that begins with 255", []turn{{"", bytesOf("ffff")}}, ErrNotOffered, StageCapability, "\xff\xff"},
		{"asked by us, and refused", []turn{{"", tnOther[:3]}, {tnWill, tnDont + "login: "}}, ErrNotOffered, StageCapability, tnOther[:3] + tnDont + "login: "},
		{"DO and DONT", agreed(tnDont), ErrRefused, StageUpgrade, ""},
		{"text for FOLLOWS", agreed("login: "), ErrProtocol, StageUpgrade, ""},
		{no, []turn{{"", ""}}, ErrProtocol, StageCapability, ""},
		{no + " before FOLLOWS", agreed(tnFollows[:5]), ErrProtocol, StageUpgrade, ""},
		// ST-09
		{"another word than FOLLOWS", agreed(bytesOf("fffa2e02fff0")), ErrProtocol, StageUpgrade, ""},
		{"two words", agreed(bytesOf("fffa2e0101fff0")), ErrProtocol, StageUpgrade, ""},
		{"no word", agreed(bytesOf("fffa2efff0")), ErrProtocol, StageUpgrade, ""},
		{"another option's", agreed(bytesOf("fffa1801fff0")), ErrProtocol, StageUpgrade, ""},
		{"FOLLOWS at once", []turn{{"", bytesOf("fffa1801fff0")}}, ErrProtocol, StageCapability, ""},
		{"IAC in a word", agreed(bytesOf("fffa2e01fffffff0")), ErrProtocol, StageUpgrade, ""},
		{"a command in a word", agreed(bytesOf("fffa2e01fff1fff0")), ErrProtocol, StageUpgrade, ""},
		{"no command", []turn{{"", bytesOf("ff00")}}, ErrProtocol, StageCapability, ""},
		{"SE alone", []turn{{"", bytesOf("fff0")}}, ErrProtocol, StageCapability, ""},
		{"32 commands", agreed(strings.Repeat(bytesOf("fff1"), 33)), ErrProtocol, StageUpgrade, ""},
		{"an endless word", agreed(bytesOf("fffa2e") + strings.Repeat("x", 5000)), ErrProtocol, StageUpgrade, ""},
	})
}

func TestTelnetServer(t *testing.T) {
	const no = "This server takes only connections with TLS.\r\n"
	answer := func(says ...string) []turn {
		turns := []turn{{tnDo, says[0]}}
		for _, ours := range says[1:] {
			turns = append(turns, turn{ours, ""})
		}
		return turns
	}
	exchangeAll(t, "telnet", serverOf(t, "telnet", nil), unmasked, []exchange{
		{"go-ahead", answer(tnWill+tnFollows, tnFollows), nil, "", ""},
		{"with other options", answer(tnOther+tnWill+tnOther+tnFollows, tnDeclined+tnDeclined+tnFollows), nil, "", ""},
		{"with refusals, and our option asked of us", answer(bytesOf("fffc18 fffe03 fffd2e")+tnWill+tnFollows, tnFollows), nil, "", ""},
		// ST-02
		{"TLS behind FOLLOWS", answer(tnWill + tnFollows + "\x16"), ErrInjection, StageUpgrade, ""},
		{"text behind FOLLOWS", answer(tnWill + tnFollows + "root\r\n"), ErrInjection, StageUpgrade, ""},
		{"FOLLOWS twice", answer(tnWill + tnFollows + tnFollows), ErrInjection, StageUpgrade, ""},
		{"WONT", answer(tnWont, no), ErrRefused, StageUpgrade, ""},
		{"text", answer("root\r\n", no), ErrRefused, StageUpgrade, ""},
		{"text behind WILL", answer(tnWill + "root\r\n"), ErrProtocol, StageUpgrade, ""},
		{"TLS at once", answer("\x16\x03\x01"), ErrProtocol, StageUpgrade, ""},
		{"FOLLOWS without WILL", answer(tnFollows), ErrProtocol, StageUpgrade, ""},
		{"another word", answer(tnWill + bytesOf("fffa2e02fff0")), ErrProtocol, StageUpgrade, ""},
		{"33 commands", answer(strings.Repeat(bytesOf("fff1"), 33)), ErrProtocol, StageUpgrade, ""},
		{"nothing", answer(""), ErrProtocol, StageUpgrade, ""},
	})
	exchangeAll(t, "telnet", serverOf(t, "telnet", plainToo), unmasked, []exchange{
		{"WONT, plain", answer(tnOther + tnWont + "root\r\n"), ErrRefused, StageUpgrade, tnOther + tnWont + "root\r\n"},
		{"text, plain", answer("root\r\n"), ErrRefused, StageUpgrade, "root\r\n"},
	})
}
