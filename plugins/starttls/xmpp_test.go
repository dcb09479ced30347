package starttls

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

const (
	xmppOpen = "<?xml version='1.0'?><stream:stream to='server.test' version='1.0' xml:lang='en' xmlns='jabber:client' " +
		"xmlns:stream='http://etherx.jabber.org/streams'>"
	xmppHello = "<?xml version='1.0'?><stream:stream from='server.test' id='ID' version='1.0' xml:lang='en' " +
		"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
	xmppFeatures = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	xmppStart    = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	xmppGo       = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

func TestXMPPClient(t *testing.T) {
	hello := func(s string) []turn { return []turn{{xmppOpen, s}} }
	features := func(s string) []turn { return []turn{{xmppOpen, xmppHello + s}} }
	started := func(s string) []turn { return []turn{{xmppOpen, xmppHello + xmppFeatures}, {xmppStart, s}} }
	none := "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
	in := func(inner string) string { return "<stream:features>" + inner + "</stream:features>" }
	tests := []exchange{
		{"proceed", started(xmppGo), nil, "", ""},
		{"proceed in two tags", started("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed >"), nil, "", ""},
		{"a prefix", started(`<t:proceed xmlns:t="urn:ietf:params:xml:ns:xmpp-tls" />`), nil, "", ""},
		{"another prefix of the stream", []turn{{xmppOpen, `<s:stream xmlns="jabber:client" xmlns:s = 'http://etherx.jabber.org/streams' version="1.0"><s:features>` +
			"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></s:features>"}, {xmppStart, xmppGo}}, nil, "", ""},
		{"characters for a namespace", started("<proceed xmlns='urn:ietf:params:xml:ns:xmpp&#45;&#x74;ls'/>"), nil, "", ""},
		{"version 1.1", []turn{{xmppOpen, strings.ReplaceAll(xmppHello, "1.0' xml:", "1.1' xml:") + xmppFeatures}, {xmppStart, xmppGo}}, nil, "", ""},
		{"other features", []turn{{xmppOpen, xmppHello + in("<c xmlns='http://jabber.org/protocol/caps' node='http://prosody.im' ver='&lt;&amp;&apos;'/>"+
			"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/><bind xmlns='b'><required/>caf\u00e9</bind>")}, {xmppStart, xmppGo}}, nil, "", ""},
		// RFC 6120 section 4.6.1 allows white space up to the request, section 5.3.3 none after that.
		{"white space", []turn{{xmppOpen, xmppHello + "\n \t\r\n" + xmppFeatures}, {xmppStart, xmppGo}}, nil, "", ""},
		{"white space before proceed", started(" " + xmppGo), ErrProtocol, StageUpgrade, ""},
		{"white space in proceed", started("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'> </proceed>"), ErrProtocol, StageUpgrade, ""},
		// ST-01, ST-16
		{"white space behind proceed", started(xmppGo + " "), ErrInjection, StageUpgrade, ""},
		{"a stream behind proceed", started(xmppGo + xmppHello), ErrInjection, StageUpgrade, ""},
		{"proceed before the request", []turn{{xmppOpen, xmppHello + xmppFeatures + xmppGo}}, ErrInjection, StageUpgrade, ""},
		// ST-04
		{"no offer", features(none), ErrNotOffered, StageCapability, xmppHello + none},
		{"no features", features("<stream:features/>"), ErrNotOffered, StageCapability, xmppHello + "<stream:features/>"},
		{"version 0.9", hello(strings.ReplaceAll(xmppHello, "1.0' xml:", "0.9' xml:")), ErrNotOffered, StageCapability, strings.ReplaceAll(xmppHello, "1.0' xml:", "0.9' xml:")},
		{"an offer in a feature", features(in("<x xmlns='x'>" + xmppStart + "</x>")), ErrNotOffered, StageCapability, xmppHello + in("<x xmlns='x'>"+xmppStart+"</x>")},
		{"an offer of another namespace", features(in("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-TLS'/>")), ErrNotOffered, StageCapability, xmppHello + in("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-TLS'/>")},
		{"an offer by the look of it", features(in("<x starttls='" + "urn:ietf:params:xml:ns:xmpp-tls" + "'/>")), ErrNotOffered, StageCapability, xmppHello + in("<x starttls='urn:ietf:params:xml:ns:xmpp-tls'/>")},
		{"failure", started("<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:stream>"), ErrRefused, StageUpgrade, ""},
		{"host-unknown", hello(xmppHello + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"), ErrRefused, StageCapability, ""},
		{"an error without a condition", hello(xmppHello + "<stream:error>"), ErrRefused, StageCapability, ""},
		{"an error for proceed", started("<stream:error><reset xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error>"), ErrRefused, StageUpgrade, ""},
		{"the end of the stream", started("</stream:stream>"), ErrProtocol, StageUpgrade, ""},
		{"proceed of another namespace", started("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>"), ErrProtocol, StageUpgrade, ""},
		{"proceed of the stream's namespace", started("<proceed/>"), ErrProtocol, StageUpgrade, ""},
		{"something in proceed", started("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/>"), ErrProtocol, StageUpgrade, ""},
		{"proceed in a message", started("<message>" + xmppGo + "</message>"), ErrProtocol, StageUpgrade, ""},
		{"nothing", hello(""), ErrProtocol, StageGreeting, ""},
		{"half a proceed", started(xmppGo[:20]), ErrProtocol, StageUpgrade, ""},
		{"a stream of servers", hello(strings.ReplaceAll(xmppHello, "jabber:client", "jabber:server")), ErrProtocol, StageGreeting, ""},
		{"another stream", hello(strings.ReplaceAll(xmppHello, "etherx.jabber.org", "example.org")), ErrProtocol, StageGreeting, ""},
		{"a stream that ends at once", hello("<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'/>"), ErrProtocol, StageGreeting, ""},
		{"a message for features", features("<message/>"), ErrProtocol, StageCapability, ""},
		{"HTTP", hello("HTTP/1.1 400 Bad Request\r\n"), ErrProtocol, StageGreeting, ""},
	}
	for name, text := range xmlFaults() {
		tests = append(tests, exchange{name, hello(text), ErrProtocol, StageGreeting, ""})
	}
	for name, text := range xmlFaultsWithin() {
		tests = append(tests, exchange{name, features(in("<x xmlns='x'>" + text)), ErrProtocol, StageCapability, ""})
	}
	exchangeAll(t, "xmpp", clientOf(t, "xmpp"), unmasked, tests)
}

// xmlFaults is what must not begin a stream, ST-16.
func xmlFaults() map[string]string {
	return map[string]string{
		"DTD":                   "<?xml version='1.0'?><!DOCTYPE x><stream:stream>",
		"billion laughs":        `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]>`,
		"instruction":           "<?xml-stylesheet href='x'?>",
		"declaration twice":     "<?xml version='1.0'?><?xml version='1.0'?>",
		"declaration too late":  " <?xml version='1.0'?>",
		"version 1.1 of XML":    "<?xml version='1.1'?>",
		"another encoding":      "<?xml version='1.0' encoding='UTF-16'?>",
		"declaration's end":     "<?xml version='1.0'>",
		"no version of XML":     "<?xml encoding='UTF-8'?>",
		"byte order mark":       "\ufeff" + xmppHello,
		"UTF-16":                "\xff\xfe<\x00s\x00",
		"comment":               "<!-- -->",
		"no prefix declared":    "<stream:stream xmlns='jabber:client'>",
		"no name":               "< stream>",
		"a digit":               "<1>",
		"two colons":            "<a:b:c>",
		"a colon":               "<:a>",
		"no namespace":          "<a:b xmlns:a=''>",
		"namespace xml":         "<a xmlns:xml='x'>",
		"attribute twice":       "<a b='1' b='2'>",
		"attributes together":   "<a b='1'c='2'>",
		"no quotes":             "<a b=1>",
		"no value":              "<a b>",
		"no end of a value":     "<a b='1>",
		"a tag in a value":      "<a b='<'>",
		"a tag in a tag":        "<a <b>",
		"an end":                "</stream:stream>",
		"33 attributes":         "<a" + manyAttributes(33) + ">",
		"64 KiB of white space": strings.Repeat(" ", 70000),
		"64 KiB of a tag":       "<a b='" + strings.Repeat("x", 70000) + "'>",
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("x", i) + "=''")
	}
	return b.String()
}

// xmlFaultsWithin is what must not be in an element, ST-16.
func xmlFaultsWithin() map[string]string {
	return map[string]string{
		"entity":                "&lol;<",
		"entity in a value":     "<a b='&lol;'>",
		"ampersand":             "a & b</x>",
		"NUL as a reference":    "&#0;</x>",
		"no such character":     "&#xd800;</x>",
		"a reference too large": "&#x110000;</x>",
		"a NUL":                 "\x00</x>",
		"an escape":             "\x1b</x>",
		"not UTF-8":             "\xc3\x28</x>",
		"CDATA":                 "<![CDATA[ ]]></x>",
		"comment":               "<!-- --></x>",
		"instruction":           "<?php ?></x>",
		"the wrong end":         "</y>",
		"deep":                  strings.Repeat("<a>", 17),
		"64 KiB of text":        strings.Repeat("x", 70000),
		"64 KiB of features":    strings.Repeat("<a/>", 20000),
	}
}

// White space behind the features is no answer before the question.
func TestXMPPWhiteSpaceBehindFeatures(t *testing.T) {
	conn := &scriptedConn{turns: []turn{{xmppOpen, xmppHello + xmppFeatures + "\n "}, {xmppStart, xmppGo}}}
	if err := clientOf(t, "xmpp")(newDialogue(conn, "xmpp")); err != nil {
		t.Error(err)
	}
	conn.over(t)
}

// The name in the stream's header is the one that the certificate has to be for, ST-16.
func TestXMPPHeader(t *testing.T) {
	for _, tc := range []struct{ proto, host, name, want string }{
		{"xmpp", "im.example", "joe", " to='im.example' version"},
		{"xmpp", "192.0.2.1", "", " to='192.0.2.1' version"},
		{"xmpp", "2001:db8::1", "", " to='[2001:db8::1]' version"},
		{"xmpp", "a'b<c>&\"d", "", " to='a&apos;b&lt;c&gt;&amp;&quot;d' version"},
		{"xmpp-server", "im.example", "ours.example", " to='im.example' from='ours.example' version"},
		{"xmpp-server", "im.example", "localhost", " to='im.example' version"},
	} {
		conn := &writes{}
		_ = named(t, tc.proto).client(newDialogue(conn, tc.proto), clientTerms{host: tc.host, name: tc.name})
		if !strings.Contains(conn.text, "<stream:stream"+tc.want) {
			t.Errorf("%s to %s from %s: %s", tc.proto, tc.host, tc.name, conn.text)
		}
	}
}

// writes is a connection that ends at once, and keeps what was written.
type writes struct {
	scriptedConn
	text string
}

func (w *writes) Write(b []byte) (int, error) {
	w.text += string(b)
	return len(b), nil
}

var xmppID = regexp.MustCompile(`id='[A-Z2-7]{26}'`)

func maskID(s string) string { return xmppID.ReplaceAllString(s, "id='ID'") }

func TestXMPPServer(t *testing.T) {
	const (
		open  = "<?xml version='1.0'?><stream:stream to='server.test' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
		plain = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls></stream:features>"
		auth  = "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>AGpvZQBzZWNyZXQ=</auth>"
	)
	fails := func(condition string) string {
		return "<stream:error><" + condition + " xmlns='urn:ietf:params:xml:ns:xmpp-streams'/></stream:error></stream:stream>"
	}
	old := strings.Replace(open, " version='1.0'>", ">", 1)
	says := func(turns ...string) []turn {
		all := []turn{{"", open}, {xmppHello + xmppFeatures, turns[0]}}
		for _, ours := range turns[1:] {
			all = append(all, turn{ours, ""})
		}
		return all
	}
	const failure, end = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", "</stream:stream>"
	exchangeAll(t, "xmpp", serverOf(t, "xmpp", nil), maskID, []exchange{
		{"starttls", says(xmppStart, xmppGo), nil, "", ""},
		{"white space and two tags", says(" \n<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></starttls>", xmppGo), nil, "", ""},
		// ST-02
		{"white space behind starttls", says(xmppStart + " "), ErrInjection, StageUpgrade, ""},
		{"a stanza behind starttls", says(xmppStart + auth), ErrInjection, StageUpgrade, ""},
		{"TLS behind starttls", says(xmppStart + "\x16"), ErrInjection, StageUpgrade, ""},
		{"something in starttls", says("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/></starttls>", failure+end), ErrProtocol, StageUpgrade, ""},
		{"text in starttls", says("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'>now</starttls>", failure+end), ErrProtocol, StageUpgrade, ""},
		{"no XML in starttls", says("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'></stream:stream>", failure+end), ErrProtocol, StageUpgrade, ""},
		{"half a starttls", says(xmppStart[:20]), ErrProtocol, StageUpgrade, ""},
		{"a stanza", says(auth, fails("policy-violation")), ErrRefused, StageUpgrade, ""},
		{"starttls of another namespace", says("<starttls/>", fails("policy-violation")), ErrRefused, StageUpgrade, ""},
		{"the end of the stream", says("</stream:stream>", end), ErrProtocol, StageUpgrade, ""},
		{"a stream's error", says("<stream:error>"), ErrRefused, StageUpgrade, ""},
		{"deep", says(strings.Repeat("<a>", 17), fails("bad-format")), ErrProtocol, StageUpgrade, ""},
		{"no version", []turn{{"", old}, {xmppHello + fails("unsupported-version"), ""}}, ErrRefused, StageGreeting, ""},
		// RFC 6120 section 4.9.1.2: the stream begins all the same, to end with an error.
		{"servers", []turn{{"", strings.Replace(open, "jabber:client", "jabber:server", 1)}, {xmppHello + fails("invalid-namespace"), ""}}, ErrProtocol, StageGreeting, ""},
		{"another stream", []turn{{"", strings.Replace(open, "etherx.jabber.org", "example.org", 1)}, {xmppHello + fails("invalid-namespace"), ""}}, ErrProtocol, StageGreeting, ""},
		{"another element", []turn{{"", strings.Replace(open, "<stream:stream", "<stream:features", 1)}, {xmppHello + fails("bad-format"), ""}}, ErrProtocol, StageGreeting, ""},
		{"no XML", []turn{{"", "GET / HTTP/1.1\r\n"}, {xmppHello + fails("bad-format"), ""}}, ErrProtocol, StageGreeting, ""},
		{"TLS at once", []turn{{"", "\x16\x03\x01"}, {xmppHello + fails("bad-format"), ""}}, ErrProtocol, StageGreeting, ""},
		{"nothing", []turn{{"", ""}}, ErrProtocol, StageGreeting, ""},
	})
	opened := []turn{{"", open}, {xmppHello + plain, auth + "more"}}
	exchangeAll(t, "xmpp", serverOf(t, "xmpp", plainToo), maskID, []exchange{
		{"starttls, plain", []turn{{"", open}, {xmppHello + plain, xmppStart}, {xmppGo, ""}}, nil, "", ""},
		{"a stanza, plain", opened, ErrRefused, StageUpgrade, open + auth + "more"},
		{"no version, plain", []turn{{"", old + "<iq/>"}}, ErrRefused, StageGreeting, old + "<iq/>"},
	})
}

// RFC 6120 section 4.7.2: who says in the header who it is, is told so in ours, between servers as well.
func TestXMPPServerEchoesFrom(t *testing.T) {
	const header = "<stream:stream%s xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	for proto, content := range map[string]string{"xmpp": "jabber:client", "xmpp-server": "jabber:server"} {
		for _, tc := range []struct{ from, want string }{
			{" from='joe@ours.example'", " id='ID' to='joe@ours.example' version='1.0'"},
			{` from="a'&lt;b>&amp;&quot;"`, " id='ID' to='a&apos;&lt;b&gt;&amp;&quot;' version='1.0'"},
			{" from='" + strings.Repeat("x", 3071) + "'", " id='ID' to='" + strings.Repeat("x", 3071) + "' version='1.0'"},
			{" from='" + strings.Repeat("x", 3072) + "'", " id='ID' version='1.0'"}, // no address is longer than 3071 bytes
			{" from=''", " id='ID' version='1.0'"},
			{"", " id='ID' version='1.0'"},
			{" from='ours.example' xmlns:xml='x'", " id='ID' version='1.0'"}, // a header that is wrong tells nothing
		} {
			conn := &writes{scriptedConn: scriptedConn{in: fmt.Sprintf(header, tc.from, content)}}
			_ = named(t, proto).server(newDialogue(conn, proto), ourServer)
			if text := maskID(conn.text); !strings.HasPrefix(text, "<?xml version='1.0'?><stream:stream from='server.test'"+tc.want) {
				t.Errorf("%s, %.80s: %.200s", proto, tc.from, text)
			}
		}
	}
}
