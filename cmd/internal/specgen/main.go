// Command specgen writes what is derived from the plugins and the grammar: the tables of parameters in the plugins'
// READMEs, the index of plugins in spec/README.md and in README.md, and spec/grammar.ebnf. It runs in the root of the
// module, by go generate.
package main

import (
	"bytes"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("specgen: ")
	if err := generate("."); err != nil {
		log.Fatal(err)
	}
}

func generate(root string) error {
	plugins := endpoint.Default.Plugins()
	for _, p := range plugins {
		readme := filepath.Join(root, "plugins", p.Name, "README.md")
		if err := registrytest.Update(readme, p); err != nil {
			return err
		}
	}
	if err := replaceSection(filepath.Join(root, "spec", "README.md"), "plugins", index(plugins, "../plugins/")); err != nil {
		return err
	}
	if err := replaceSection(filepath.Join(root, "README.md"), "plugins", index(plugins, "plugins/")); err != nil {
		return err
	}
	return writeIfChanged(filepath.Join(root, "spec", "grammar.ebnf"), []byte(grammar.EBNF()+"\n"))
}

// index is the table of all plugins with links to their directories below base.
func index(plugins []registry.Plugin, base string) string {
	var b strings.Builder
	b.WriteString("| endpoint | roles | what it is |\n|---|---|---|\n")
	for _, p := range plugins {
		nouns := make([]string, 0, 2)
		for _, role := range p.Roles() {
			nouns = append(nouns, role.Noun())
		}
		fmt.Fprintf(&b, "| [`%s`](%s%s/) | %s | %s |\n", p.Name, base, p.Name, strings.Join(nouns, ", "), p.Doc)
	}
	return b.String()
}

// replaceSection puts text between the markers <!-- NAME:begin --> and <!-- NAME:end --> of a file.
func replaceSection(path, name, text string) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := []byte("<!-- "+name+":begin -->\n"), []byte("<!-- "+name+":end -->")
	i := bytes.Index(old, begin)
	j := bytes.Index(old, end)
	if i < 0 || j < i {
		return fmt.Errorf("%s has no section between %q and %q", path, bytes.TrimSpace(begin), end)
	}
	var b bytes.Buffer
	b.Write(old[:i+len(begin)])
	b.WriteString("\n" + strings.TrimSpace(text) + "\n\n")
	b.Write(old[j:])
	return writeIfChanged(path, b.Bytes())
}

func writeIfChanged(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	return os.WriteFile(path, data, 0o644)
}
