package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/epctl/endpoint/registry"
)

type pluginDocCmd struct {
	Program string `arg:"" name:"program" help:"Name of a program, or of an endpoint of one."`
	JSON    bool   `name:"json" help:"Write JSON."`
}

func (c *pluginDocCmd) Help() string {
	return "What is told is what the program said when it was installed; it is not started."
}

// documented is the JSON form of a program with the parameters of its endpoints.
type documented struct {
	*installed
	Plugins []documentedPlugin `json:"plugins"`
}

type documentedPlugin struct {
	Name  string           `json:"name"`
	Doc   string           `json:"doc"`
	Roles []documentedRole `json:"roles"`
}

type documentedRole struct {
	Role       registry.Role     `json:"role"`
	Parameters []documentedParam `json:"parameters"`
}

type documentedParam struct {
	Name       string        `json:"name"`
	Kind       registry.Kind `json:"kind"`
	Doc        string        `json:"doc"`
	Required   bool          `json:"required"`
	Default    *string       `json:"default"` // null where there is none
	Positional bool          `json:"positional"`
	List       bool          `json:"list,omitempty"`
	Map        bool          `json:"map,omitempty"`
	Rest       bool          `json:"rest,omitempty"`
	Enum       []string      `json:"enum,omitempty"`
	OS         []string      `json:"os,omitempty"`
}

// Run tells what is known of the program.
func (c *pluginDocCmd) Run(a *app) error {
	path, only, err := a.findServer(c.Program)
	if err != nil {
		return err
	}
	p := look(path)
	if p.program == nil {
		return errors.New(p.Path + ": " + p.Error)
	}
	plugins := slices.Clone(p.program.Plugins())
	if only != "" {
		plugins = slices.DeleteFunc(plugins, func(plugin registry.Plugin) bool { return plugin.Name != only })
	}
	if c.JSON {
		return a.out.json(documentedOf(p, plugins))
	}
	var b strings.Builder
	b.WriteString(p.head(a.out) + "  " + printable(p.Path) + "\n" + p.why(a.out))
	for _, plugin := range plugins {
		b.WriteString("\n" + pluginText(plugin, a.out))
	}
	return a.out.print(b.String())
}

// pluginText is what the verb doc tells of an endpoint.
func pluginText(p registry.Plugin, o *output) string {
	lines := wrap(p.Name+": "+printable(p.Doc), o.width)
	lines[0] = strings.Replace(lines[0], p.Name, o.strong(p.Name), 1)
	text := strings.Join(lines, "\n") + "\n"
	for _, role := range p.Roles() {
		text += "\n" + o.strong("As a "+role.Noun()) + "\n"
		text += orderText(p.Params(role), o.width) + docTable(p.Params(role), o)
	}
	return text
}

func documentedOf(p *installed, plugins []registry.Plugin) documented {
	d := documented{installed: p}
	for _, plugin := range plugins {
		told := documentedPlugin{Name: plugin.Name, Doc: plugin.Doc}
		for _, role := range plugin.Roles() {
			params := []documentedParam{}
			for _, param := range plugin.Params(role) {
				params = append(params, documentedParamOf(param))
			}
			told.Roles = append(told.Roles, documentedRole{role, params})
		}
		d.Plugins = append(d.Plugins, told)
	}
	return d
}

func documentedParamOf(p registry.Param) documentedParam {
	d := documentedParam{
		Name: p.Name, Kind: p.Kind, Doc: p.Doc, Required: p.Required, Positional: p.Positional,
		List: p.List, Map: p.Map, Rest: p.Rest, Enum: p.Enum, OS: p.OS,
	}
	if !p.Required && !p.Optional {
		d.Default = &p.Default
	}
	return d
}
