package starttls

import (
	"strings"
	"testing"
)

// ST-22: what a peer writes into names and values does not make an error longer than a line or two. The reply is kept apart,
// and capped there.
func TestErrorsAreBounded(t *testing.T) {
	long := strings.Repeat("a", 3000)
	stream := "<stream:stream xmlns:stream='http://etherx.jabber.org/streams' "
	for name, tc := range map[string]struct{ proto, says string }{
		"an attribute twice":    {"xmpp", stream + long + "='' " + long + "=''>"},
		"a prefix":              {"xmpp", "<" + long + ":stream>"},
		"a namespace":           {"xmpp", "<stream xmlns:xml='" + long + "'>"},
		"a prefix of nothing":   {"xmpp", "<stream xmlns:" + long + "=''>"},
		"an encoding":           {"xmpp", "<?xml version='1.0' encoding='" + long + "'?>"},
		"a version of a server": {"mysql", string(mysqlFrame(0, []byte("\x0a"+long+"\x00"+strings.Repeat("x", 60))))},
	} {
		t.Run(name, func(t *testing.T) {
			conn := &scriptedConn{in: tc.says, turns: []turn{{want: xmppOpen}}}
			err := clientOf(t, tc.proto)(newDialogue(conn, tc.proto))
			failed, ok := err.(*Error)
			if !ok || failed.Stage != StageGreeting {
				t.Fatalf("%v", err)
			}
			if text := failed.Err.Error(); len(text) > 256 || !strings.Contains(text, "aaaa") {
				t.Errorf("%d bytes: %s", len(text), text)
			}
		})
	}
}
