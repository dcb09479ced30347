package main

type schemaCmd struct{}

func (c *schemaCmd) Help() string {
	return "One JSON Schema (draft 2020-12) is for all endpoints, as strings and as objects, for editors and for checks of config files."
}

// Run writes the schema of all endpoints.
func (c *schemaCmd) Run(a *app) error {
	schema, err := a.registry.Schema()
	if err != nil {
		return err
	}
	return a.out.print(string(schema))
}
