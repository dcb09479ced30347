package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/sockopt"
)

// tryOptions are the options that the kernel has for each socket of an attempt, by their names.
type tryOptions struct {
	Listener settings `json:"listener,omitempty"`
	Client   settings `json:"client,omitempty"`
	Accepted settings `json:"accepted,omitempty"`
}

// settingsOf asks the kernel about the socket that v is, or that it wraps.
func settingsOf(v any) settings {
	if c, ok := unwrap[syscall.Conn](v); ok {
		return sockopt.Read(c)
	}
	return nil
}

// settings are an object in JSON.
type settings []sockopt.Setting

func (s settings) MarshalJSON() ([]byte, error) {
	byName := make(map[string]string, len(s))
	for _, setting := range s {
		byName[setting.Name] = setting.Value
	}
	return json.Marshal(byName)
}

// value is "-" for what the kernel does not have or tell.
func (s settings) value(name string) string {
	for _, setting := range s {
		if setting.Name == name && setting.Value != "" {
			return setting.Value
		}
	}
	return "-"
}

// json writes the trial with err, which ended it.
func (t *trial) json(a *app, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.OK = err == nil
	if t.Errors = grammar.All(err); err != nil && len(t.Errors) == 0 {
		t.Error = err.Error()
	}
	for _, e := range t.events {
		t.Events = append(t.Events, newEvent(e))
	}
	if wrong := a.out.json(t); wrong != nil {
		return wrong
	}
	var signal interrupted
	if errors.As(err, &signal) {
		return signal
	}
	return told(err != nil)
}

// print writes the trial for people; what ended it is told on stderr.
func (t *trial) print(a *app, start time.Time, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.Role == "" {
		return nil // the string is wrong
	}
	o := a.out
	var b strings.Builder
	input := printable(t.Input)
	head := strings.Join(wrap(input+", a "+t.Role.Noun(), o.width), "\n")
	b.WriteString(strings.Replace(head, input, o.strong(input), 1) + "\n")
	if t.Certificate != "" {
		b.WriteString(strings.Join(wrap("certificate: "+printable(t.Certificate), o.width), "\n") + "\n")
	}
	line := newTimeline(o, start)
	for _, e := range t.events {
		b.WriteString(line.line(e))
	}
	if c, ok := t.dial.race(); ok {
		b.WriteString("\n" + c.text(o))
	}
	before := ""
	for _, at := range t.Tries {
		b.WriteString("\n" + at.facts(o))
		switch options := at.options(o); {
		case options == "":
		case options == before:
			b.WriteString("\n" + o.faint("socket options as above") + "\n")
		default:
			b.WriteString("\n" + options)
			before = options
		}
	}
	if err == nil {
		b.WriteString("\n" + o.good("ok") + "\n")
	}
	return o.print(b.String())
}

func (at *attempt) facts(o *output) string {
	facts := table{}
	add := func(name, text string) {
		if text != "" {
			facts.add(cell{name, o.faint}, cell{text: text})
		}
	}
	add("listening on", printable(at.Listening))
	add("client", printable(at.Client))
	if at.Local != "" {
		add("connected", printable(at.Local)+" to "+printable(at.Remote)+" in "+elapsed(at.connect))
	}
	add("TLS", printable(at.TLS.text()))
	add("verified", printable(at.verifiedText()))
	for _, heard := range at.Heard {
		add("heard", printable(heard))
	}
	add("to server", at.ToServer.text(at.endText()))
	add("to client", at.ToClient.text(at.endText()))
	if at.Error != "" {
		first, _, _ := strings.Cut(at.Error, "\n") // all of it is told on stderr
		facts.add(cell{"failed", o.bad}, cell{text: printable(first)})
	}
	return facts.text(o.width)
}

// endText says whether each side could end what it sends and still receive: on TLS by a close_notify.
func (at *attempt) endText() string {
	switch {
	case !at.HalfClose:
		return "no half-close"
	case at.TLS != nil:
		return "half-closed by close_notify"
	}
	return "half-closed"
}

func (t *transfer) text(end string) string {
	switch {
	case t == nil:
		return ""
	case t.Datagrams > 0:
		return fmt.Sprintf("%d datagrams, %d bytes, all right, in %s", t.Datagrams, t.Bytes, elapsed(t.elapsed))
	}
	return fmt.Sprintf("1 MiB, every byte right, in %s: %s; %s", elapsed(t.elapsed), rate(t.PerSecond), end)
}

func rate(bytesPerSecond float64) string {
	mebibytes := bytesPerSecond / (1 << 20)
	if mebibytes < 10 {
		return fmt.Sprintf("%.2f MiB/s", mebibytes)
	}
	return fmt.Sprintf("%.0f MiB/s", mebibytes)
}

func (at *attempt) options(o *output) string {
	all := []struct {
		name string
		settings
	}{{"listener", at.Options.Listener}, {"client", at.Options.Client}, {"accepted", at.Options.Accepted}}
	rows := table{}
	head := []cell{{"socket option", o.faint}}
	var names []string
	for _, s := range all {
		if s.settings == nil {
			continue
		}
		head = append(head, cell{s.name, o.faint})
		for _, setting := range s.settings {
			if !slices.Contains(names, setting.Name) {
				names = append(names, setting.Name)
			}
		}
	}
	if len(names) == 0 {
		return ""
	}
	rows.add(head...)
	for _, name := range names {
		row := []cell{{text: name}}
		for _, s := range all {
			if s.settings != nil {
				row = append(row, cell{text: printable(s.value(name))})
			}
		}
		rows.add(row...)
	}
	return rows.text(o.width)
}
