package main

import "embed"

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

func (c *completionCmd) Help() string {
	return "For bash: source <(epctl completion bash). For zsh, behind compinit: source <(epctl completion zsh). For fish: epctl completion fish | source. Verbs, flags, names of endpoints, their parameters and values are completed."
}

//go:embed completion
var scripts embed.FS

// Run writes the script, which asks the hidden verb __complete.
func (c *completionCmd) Run(a *app) error {
	script, err := scripts.ReadFile("completion/epctl." + c.Shell)
	if err != nil {
		return err
	}
	return a.out.print(string(script))
}
