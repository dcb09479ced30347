package endpoint_test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/epctl/endpoint"

// mayImport is the house: for each part of the module, the parts of the module that it may import. A part is a
// directory and all below it; the most specific entry counts. Tests may import more than the code that they test.
var mayImport = map[string][]string{
	"grammar":               {},
	"trace":                 {},
	"registry":              {"grammar", "trace"},
	"registry/registrytest": {"registry", "grammar", "trace"},
	"internal":              {"trace", "internal"},
	"internal/tlsendpoint":  {"registry", "trace", "internal"},
	"plugins":               {"registry", "trace", "internal"},
	"external":              {"registry", "trace", "internal", "external"},
	"":                      {"grammar", "trace", "registry", "internal", "plugins"},
	"cmd":                   {"cmd", "", "grammar", "trace", "registry", "registry/registrytest", "internal", "plugins", "external"},
}

// mayNotImport are packages from outside that would make a part more than it is.
var mayNotImport = map[string][]string{
	"grammar":  {"net", "net/netip", "net/url", "os"},
	"registry": {"os/exec"},
}

type goPackage struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

// The import table of the design holds.
func TestPackagesImportOnlyWhatTheirLayerMay(t *testing.T) {
	for _, p := range goList(t, "./...") {
		part := partOf(p.ImportPath)
		for _, imported := range p.Imports {
			if slices.Contains(mayNotImport[part], imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
			other, ours := strings.CutPrefix(imported, module)
			if !ours {
				continue
			}
			other = strings.TrimPrefix(other, "/")
			if !allowed(mayImport[part], other) {
				t.Errorf("%s imports %s: %q may import only %q", p.ImportPath, imported, part, mayImport[part])
			}
			if part == "plugins" && strings.HasPrefix(other, "plugins/") && imported != p.ImportPath &&
				!strings.HasPrefix(imported, p.ImportPath+"/") {
				t.Errorf("the plugin %s imports the plugin %s", p.ImportPath, imported)
			}
		}
	}
}

// An application that imports the root package does not pay for plugins in processes of their own.
func TestRootDoesNotDependOnGRPC(t *testing.T) {
	for _, dep := range goList(t, ".")[0].Deps {
		if strings.Contains(dep, "go-plugin") || strings.Contains(dep, "grpc") || strings.HasPrefix(dep, module+"/cmd") {
			t.Errorf("the root package depends on %s", dep)
		}
	}
}

// partOf returns the most specific entry of the table for a package.
func partOf(importPath string) string {
	path := strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
	best := ""
	for part := range mayImport {
		if (path == part || strings.HasPrefix(path, part+"/")) && len(part) > len(best) {
			best = part
		}
	}
	return best
}

func allowed(parts []string, path string) bool {
	return slices.ContainsFunc(parts, func(part string) bool {
		return path == part || part != "" && part != "registry" && strings.HasPrefix(path, part+"/")
	})
}

func goList(t *testing.T, pattern string) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps=false", "-json=ImportPath,Imports,Deps", pattern).Output()
	if err != nil {
		t.Fatal(err)
	}
	var packages []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}
