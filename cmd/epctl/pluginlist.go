package main

import (
	"errors"
	"path/filepath"
	"strings"

	"github.com/epctl/endpoint/external"
	"github.com/epctl/endpoint/registry"
)

type pluginListCmd struct {
	JSON bool `name:"json" help:"Write a JSON array."`
}

func (c *pluginListCmd) Help() string {
	return "Nothing is started: what a program adds is what it said when it was installed. A program is ok if its checksum is the one that was locked, changed if it is another, and refused for the reason that is told. Whether it runs, for any application, is only known on Linux, and of processes that you may look at."
}

// What the checksum, and all else that is checked before a program is started, says of it.
const (
	stateOK      = "ok"
	stateChanged = "changed"
	stateRefused = "refused"
)

// An installed is a program in a directory of plugins, in its JSON form.
type installed struct {
	Name      string   `json:"name"`
	Path      string   `json:"path"`
	Version   string   `json:"version"`
	Plugins   []listed `json:"plugins"` // as it said when it was locked; none where that is not known
	State     string   `json:"state"`
	Error     string   `json:"error,omitempty"`     // why it is not ok
	Processes *[]int   `json:"processes,omitempty"` // numbers of those that run it, where the system tells

	program *external.Program // nil where it can't be opened
}

// Run lists the programs of all directories.
func (c *pluginListCmd) Run(a *app) error {
	dirs, err := a.needDirs()
	if err != nil {
		return err
	}
	programs, err := a.installedPrograms(dirs)
	a.warnAll(err)
	running := runningPrograms()
	for _, p := range programs {
		p.Processes = running.of(p.Path)
	}
	if c.JSON {
		return a.out.json(programs)
	}
	if len(programs) == 0 {
		return a.out.print("no plugins in " + printable(strings.Join(dirs, ", ")) + "\n")
	}
	var b strings.Builder
	for _, p := range programs {
		b.WriteString(p.text(a.out))
	}
	return a.out.print(b.String())
}

// installedPrograms looks at all programs of the directories, and starts none.
func (a *app) installedPrograms(dirs []string) ([]*installed, error) {
	paths, err := programPaths(dirs)
	known := a.registry
	programs := []*installed{}
	for _, path := range paths {
		p := look(path)
		if p.State == stateOK {
			known = p.claim(known)
		}
		programs = append(programs, p)
	}
	return programs, err
}

// look tells what is known of a program that is not started.
func look(path string) *installed {
	p := &installed{Name: filepath.Base(path), Path: path, Plugins: []listed{}, State: stateOK}
	program, err := external.Open(path, external.NoStart())
	if err != nil {
		return p.refuse(stateRefused, err)
	}
	p.program, p.Version = program, program.Version()
	for _, plugin := range program.Plugins() {
		p.Plugins = append(p.Plugins, listed{plugin.Name, plugin.Roles(), plugin.Doc})
	}
	err = external.Verify(path)
	var changed *external.ChecksumError
	switch {
	case errors.As(err, &changed):
		return p.refuse(stateChanged, err)
	case err != nil:
		return p.refuse(stateRefused, err)
	}
	return p
}

func (p *installed) refuse(state string, why error) *installed {
	p.State, p.Error = state, strings.TrimPrefix(why.Error(), p.Path+": ")
	return p
}

// claim adds the plugins of p to those that are known. A program one of whose names is taken is refused.
func (p *installed) claim(known *registry.Registry) *registry.Registry {
	next, err := known.With(p.program.Plugins()...)
	if err != nil {
		p.refuse(stateRefused, err)
		return known
	}
	return next
}

// text shows a program, and below it what it adds.
func (p *installed) text(o *output) string {
	rows := table{indent: "  "}
	for _, l := range p.Plugins {
		rows.add(cell{l.Name, o.strong}, cell{text: rolesText(l.Roles)}, cell{text: printable(l.Doc)})
	}
	return p.head(o) + "  " + printable(p.Path) + "\n" + p.why(o) + rows.text(o.width)
}

// head is the line that tells the name, the version and the state.
func (p *installed) head(o *output) string {
	name := printable(p.Name)
	lines := wrap(name+printable(versionText(p.Version))+": "+p.State+runningText(p.Processes), o.width)
	text := strings.Join(lines, "\n") + "\n"
	paint := o.good
	if p.State != stateOK {
		paint = o.bad
	}
	text = strings.Replace(text, ": "+p.State, ": "+paint(p.State), 1)
	return strings.Replace(text, name, o.strong(name), 1)
}

// why says why a program is not ok.
func (p *installed) why(o *output) string {
	if p.Error == "" {
		return ""
	}
	return "  " + strings.Join(wrap(printable(p.Error), o.width-2), "\n  ") + "\n"
}

func versionText(version string) string {
	if version == "" {
		return ""
	}
	return " " + version
}
