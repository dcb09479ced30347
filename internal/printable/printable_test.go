package printable_test

import (
	"strings"
	"testing"

	"github.com/epctl/endpoint/internal/printable"
)

// ST-22
func TestText(t *testing.T) {
	for _, tc := range []struct{ s, want string }{
		{"", ""},
		{"mail.example, naïve: 漢字", "mail.example, naïve: 漢字"},
		{"a\r\nb\tc\x00", `a\r\nb\tc\x00`},
		{"\x1b[2J\x07", `\x1b[2J\a`},
		{"\u202eevil", `\u202eevil`},
		{"\xff", `\ufffd`},
		{strings.Repeat("x", 33), strings.Repeat("x", 32) + "…"},
		{strings.Repeat("x", 31) + "ü", strings.Repeat("x", 31) + "…"},
	} {
		if got := printable.Text(tc.s, 32); got != tc.want {
			t.Errorf("%q: %q, want %q", tc.s, got, tc.want)
		}
	}
}
