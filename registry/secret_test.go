package registry_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"text/template"
	"time"

	"github.com/epctl/endpoint/registry"
)

const hunter2 = "hunter2-and-more"

// holder has secrets wherever a struct can have one.
type holder struct {
	Secret  registry.Secret
	secret  registry.Secret
	Pointer *registry.Secret
	pointer *registry.Secret
	List    []registry.Secret
	list    []registry.Secret
	Map     map[string]registry.Secret
	byName  map[string]registry.Secret
	Any     any
	any     any
	inner   struct{ Secret, secret registry.Secret }
	registry.Arg
}

func newHolder(text string) holder {
	s := registry.NewSecret(text)
	h := holder{Secret: s, secret: s, Pointer: &s, pointer: &s, Any: s, any: s}
	h.List, h.list = []registry.Secret{s}, []registry.Secret{s}
	h.Map, h.byName = map[string]registry.Secret{"a": s}, map[string]registry.Secret{"a": s}
	h.inner.Secret, h.inner.secret, h.Value = s, s, s
	return h
}

// prints returns v in all ways that values are printed.
func prints(t *testing.T, v any) []string {
	t.Helper()
	var all []string
	for _, verb := range "vsqxXdtpTbcoOUeEfFgGw" {
		for _, flag := range []string{"", "+", "#", " ", "0", "-20", "20.3"} {
			all = append(all, fmt.Sprintf("%"+flag+string(verb), v))
		}
	}
	all = append(all, fmt.Sprint(v), fmt.Sprintln(v), fmt.Errorf("%w %v", errors.ErrUnsupported, v).Error())
	encoded, _ := json.Marshal(v)
	markup, _ := xml.Marshal(v)
	var log, tmpl bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(h).Info("message", "v", v, slog.Group("group", "v", v))
	}
	_ = template.Must(template.New("").Parse("{{.}} {{printf `%s` .}}")).Execute(&tmpl, v)
	return append(all, string(encoded), string(markup), log.String(), tmpl.String())
}

func TestASecretIsNotPrinted(t *testing.T) { // SE-01
	h := newHolder(hunter2)
	for _, v := range []any{
		h, &h, h.Secret, &h.Secret, h.List, h.Map, []any{h}, map[string]any{"x": &h}, struct{ X any }{h}, h.inner, &h.inner,
	} {
		for _, printed := range prints(t, v) {
			if strings.Contains(printed, hunter2) {
				t.Errorf("%T is printed as %s", v, printed)
			}
		}
	}
}

// What prints or compares in depth walks by reflection, over unexported fields too.
func TestASecretIsNotFoundByReflection(t *testing.T) { // SE-01
	h := newHolder(hunter2)
	if path := find(reflect.ValueOf(&h), hunter2, "h", 0); path != "" {
		t.Errorf("the secret is at %s", path)
	}
	e, layer, err := fakes().Build("login:user=me:password="+hunter2+":spare="+hunter2, registry.RoleClient)
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range map[string]any{"endpoint": e, "layer": layer} {
		if path := find(reflect.ValueOf(v), hunter2, name, 0); path != "" {
			t.Errorf("the secret is at %s", path)
		}
	}
}

// find walks all that can be reached from v, and returns the path to a string that contains text.
func find(v reflect.Value, text, path string, depth int) string {
	if depth > 40 {
		return ""
	}
	switch v.Kind() {
	case reflect.String:
		if strings.Contains(v.String(), text) {
			return path
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			return find(v.Elem(), text, path, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if found := find(v.Field(i), text, path+"."+v.Type().Field(i).Name, depth+1); found != "" {
				return found
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if found := find(v.Index(i), text, fmt.Sprintf("%s[%d]", path, i), depth+1); found != "" {
				return found
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if found := find(v.MapIndex(key), text, fmt.Sprintf("%s[%v]", path, key), depth+1); found != "" {
				return found
			}
		}
	}
	return ""
}

func TestASecretPrintsAsStars(t *testing.T) {
	s := registry.NewSecret(hunter2)
	encoded, err := json.Marshal(map[string]registry.Secret{"s": s, "none": {}})
	if got := fmt.Sprintf("%v %+v %#v %s %q %s %v", s, s, s, s, s, encoded, err); got != `*** *** *** *** *** {"none":"","s":"***"} <nil>` {
		t.Error(got)
	}
	if got := fmt.Sprintf("%v|%v|%v", registry.Secret{}, registry.NewSecret(""), registry.Secret{}.LogValue()); got != "||" {
		t.Error(got)
	}
}

func reveal(t *testing.T, text string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return registry.NewSecret(text).Reveal(ctx)
}

func TestWhereASecretIsReadFrom(t *testing.T) { // SE-02, SE-04, SE-05
	t.Setenv("ENDPOINT_TEST_SECRET", "x:key=evil{")
	t.Setenv("ENDPOINT_TEST_EMPTY", "")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		text, want string
		inline     bool
	}{
		{"", "", false},
		{"plain", "plain", true},
		{"en:v", "en:v", true},
		{"ENV:X", "ENV:X", true},
		{"cmd:rm -rf", "cmd:rm -rf", true},
		{"text:plain", "plain", true},
		{"text:env:HOME", "env:HOME", true},
		{"text:", "", true},
		{"env:ENDPOINT_TEST_SECRET", "x:key=evil{", false},
		{"env:ENDPOINT_TEST_EMPTY", "", false},
		{"file:" + file, "from a file", false},
	} {
		got, err := reveal(t, tt.text)
		if s := registry.NewSecret(tt.text); err != nil || got != tt.want || s.Inline() != tt.inline || s.IsZero() != (tt.text == "") {
			t.Errorf("%q reveals %q, %v; inline is %v", tt.text, got, err, s.Inline())
		}
	}
}

func TestASecretThatCanNotBeReadIsAnError(t *testing.T) { // SE-02, SE-05
	for text, want := range map[string]string{
		"env:ENDPOINT_TEST_NOT_SET": `endpoint: the environment variable "ENDPOINT_TEST_NOT_SET" of a secret is not set`,
		"env:":                      "endpoint: env: is followed by the name of a variable, which has no equals sign",
		"env:a=b":                   "endpoint: env: is followed by the name of a variable, which has no equals sign",
		"file:":                     "endpoint: file: is followed by a path",
		"fd:":                       "endpoint: fd: is followed by the number of a file descriptor",
		"fd:-1":                     "endpoint: fd: is followed by the number of a file descriptor",
		"fd:1/../2":                 "endpoint: fd: is followed by the number of a file descriptor",
	} {
		if got, err := reveal(t, text); err == nil || err.Error() != want || got != "" {
			t.Errorf("%q reveals %q, %v, want %s", text, got, err, want)
		}
	}
	if _, err := reveal(t, "file:/nonexistent/secret"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is missing: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := registry.NewSecret("plain").Reveal(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("with a cancelled context: %v", err)
	}
}

func TestSecretsOfFiles(t *testing.T) { // SE-03
	dir := t.TempDir()
	for _, tt := range []struct {
		content string
		mode    fs.FileMode
		want    string
		problem string // part of the error
	}{
		{"", 0o600, "", ""},
		{"a", 0o600, "a", ""},
		{"a\n", 0o400, "a", ""},
		{"a\r\n", 0o600, "a", ""},
		{"a\r", 0o600, "a\r", ""},
		{"a\n\n", 0o600, "a\n", ""},
		{" a \n", 0o700, " a ", ""},
		{"a\x00b", 0o600, "a\x00b", ""},
		{strings.Repeat("a", 64<<10), 0o600, strings.Repeat("a", 64<<10), ""},
		{strings.Repeat("a", 64<<10+1), 0o600, "", "is larger than 65536 bytes"},
		{"a", 0o640, "", "has mode 0640: only its owner may have access (chmod 600)"},
		{"a", 0o604, "", "has mode 0604"},
		{"a", 0o620, "", "has mode 0620"},
		{"a", 0o601, "", "has mode 0601"},
	} {
		if runtime.GOOS == "windows" && tt.mode&0o077 != 0 {
			continue // has no such modes
		}
		path := filepath.Join(dir, "secret")
		_ = os.Remove(path)
		if err := errors.Join(os.WriteFile(path, []byte(tt.content), 0o600), os.Chmod(path, tt.mode)); err != nil {
			t.Fatal(err)
		}
		got, err := reveal(t, "file:"+path)
		switch {
		case tt.problem == "" && (err != nil || got != tt.want):
			t.Errorf("a file of mode %o with %.10q reveals %.10q, %v", tt.mode, tt.content, got, err)
		case tt.problem != "" && (err == nil || !strings.Contains(err.Error(), tt.problem)):
			t.Errorf("a file of mode %o with %.10q: %v, want %s", tt.mode, tt.content, err, tt.problem)
		}
	}
}

func TestASecretIsReadAnewEachTime(t *testing.T) { // SE-03
	path := filepath.Join(t.TempDir(), "secret")
	s := registry.NewSecret("file:" + path)
	for _, content := range []string{"first", "second"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Reveal(t.Context()); got != content || err != nil {
			t.Errorf("%q, %v, want %q", got, err, content)
		}
	}
}

func TestADirectoryIsNoSecret(t *testing.T) {
	if _, err := reveal(t, "file:"+t.TempDir()); err == nil {
		t.Error("it is")
	}
}
