package main

import "github.com/epctl/endpoint/registry"

type listCmd struct {
	JSON bool `name:"json" help:"Write a JSON array."`
}

type listed struct {
	Name  string          `json:"name"`
	Roles []registry.Role `json:"roles"`
	Doc   string          `json:"doc"`
}

// Run lists all plugins.
func (c *listCmd) Run(a *app) error {
	list, rows := []listed{}, table{}
	for _, p := range a.registry.Plugins() {
		list = append(list, listed{p.Name, p.Roles(), p.Doc})
		rows.add(cell{p.Name, a.out.strong}, cell{text: rolesText(p.Roles())}, cell{text: p.Doc})
	}
	if c.JSON {
		return a.out.json(list)
	}
	return a.out.print(rows.text(a.out.width))
}
