package external

import (
	"io"
	"os"
	"time"
)

// An Option changes how programs are opened.
type Option func(*options)

type options struct {
	stderr       io.Writer
	unlocked     bool
	noStart      bool
	env          []string
	startTimeout time.Duration
}

func optionsOf(list []Option) options {
	o := options{startTimeout: 5 * time.Second, env: []string{"LANG", "LC_ALL", "TZ"}}
	for _, option := range list {
		option(&o)
	}
	return o
}

// Stderr has what programs write to their standard error, and to their standard output, written to w: line by line with
// the program's name before each, escaped, at most 1 KiB of a line and 20 lines a second. Without it only the end of it
// is kept, for errors. Writes to w come from several goroutines where several programs get the same.
func Stderr(w io.Writer) Option { return func(o *options) { o.stderr = w } }

// AllowUnlocked has programs started also if they are not in the lock file. It is for trying out a program that was just
// built; one that is in the lock file with another checksum is refused all the same.
func AllowUnlocked() Option { return func(o *options) { o.unlocked = true } }

// NoStart has no program started: strings are checked by what the lock file tells of the plugins, and faults that only
// the plugin could find are not found. An endpoint that is used fails. Programs that are not in the lock file can't be
// opened so.
func NoStart() Option { return func(o *options) { o.noStart = true } }

// Env has programs get these variables of the application's environment, beside LANG, LC_ALL and TZ, which they get
// anyway.
func Env(names ...string) Option {
	return func(o *options) { o.env = append(o.env, names...) }
}

// StartTimeout bounds the start of a program; it is 5 s where it is not given.
func StartTimeout(d time.Duration) Option { return func(o *options) { o.startTimeout = d } }

func (o options) environment() []string {
	var env []string
	for _, name := range o.env {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
