package registry

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
)

// Markdown returns the section of a README that tells the parameters of p: for each role, or for several where they have
// the same parameters, a heading of level three, the order of values without a key, and a table in GitHub's dialect.
func (p Plugin) Markdown() string {
	var b strings.Builder
	for i, group := range p.parameterGroups() {
		if i > 0 {
			b.WriteByte('\n')
		}
		nouns := make([]string, len(group.roles))
		for i, role := range group.roles {
			nouns[i] = role.Noun()
		}
		heading := strings.Join(nouns, ", ")
		fmt.Fprintf(&b, "### %s\n\n", strings.ToUpper(heading[:1])+heading[1:])
		writeParams(&b, group.params)
	}
	return b.String()
}

// A parameterGroup is the roles of a plugin that have the same parameters.
type parameterGroup struct {
	roles  []Role
	params []Param
}

func (p Plugin) parameterGroups() []parameterGroup {
	var groups []parameterGroup
	for _, role := range p.Roles() {
		params := p.Params(role)
		i := slices.IndexFunc(groups, func(g parameterGroup) bool { return sameParams(g.params, params) })
		if i < 0 {
			i, groups = len(groups), append(groups, parameterGroup{params: params})
		}
		groups[i].roles = append(groups[i].roles, role)
	}
	return groups
}

func sameParams(a, b []Param) bool {
	return slices.EqualFunc(a, b, func(p, q Param) bool {
		p.check, q.check = nil, nil // functions are never equal, and the rest tells enough
		return reflect.DeepEqual(p, q)
	})
}

func writeParams(b *strings.Builder, params []Param) {
	if len(params) == 0 {
		b.WriteString("No parameters.\n")
		return
	}
	if order := positionalOrder(params); order != "" {
		fmt.Fprintf(b, "Without a key, in this order: %s.\n\n", order)
	}
	b.WriteString("| Parameter | Value | Default | Description |\n|---|---|---|---|\n")
	for _, p := range params {
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", p.Name, p.valueCell(), p.defaultCell(), p.descriptionCell())
	}
}

func positionalOrder(params []Param) string {
	var names []string
	for _, p := range params {
		if p.Positional {
			names = append(names, "`"+p.Name+"`")
		}
	}
	return strings.Join(names, ", ")
}

func (p *Param) valueCell() string {
	if p.Enum != nil {
		values := make([]string, len(p.Enum))
		for i, v := range p.Enum {
			values[i] = code(v)
		}
		return strings.Join(values, ", ") + p.severalCell()
	}
	return markdownText(p.noun()) + p.severalCell()
}

func (p *Param) severalCell() string {
	switch inner := p.Kind.Role() != ""; {
	case p.Map && p.List:
		return "; several with commas between them; for each key of one's choice"
	case p.Map:
		return "; for each key of one's choice"
	case p.List && inner:
		return "; any number of them, each a field"
	case p.List:
		return "; several with commas between them"
	}
	return ""
}

func (p *Param) defaultCell() string {
	switch {
	case p.Required:
		return "required"
	case p.Optional:
		return ""
	case p.Default == "":
		return "empty"
	}
	return code(p.Default)
}

func (p *Param) descriptionCell() string {
	text := p.Doc
	if p.Rest {
		text += "; also as the rest of the string, without braces"
	}
	if p.OS != nil {
		text += "; " + p.systems() + " only"
	}
	return markdownText(text)
}

// systems lists the systems where the parameter works, as they call themselves.
func (p *Param) systems() string {
	names := make([]string, len(p.OS))
	for i, goos := range p.OS {
		names[i] = systemName(goos)
	}
	return strings.Join(names, ", ")
}

func systemName(goos string) string {
	switch goos {
	case "linux":
		return "Linux"
	case "darwin":
		return "macOS"
	case "freebsd":
		return "FreeBSD"
	case "netbsd":
		return "NetBSD"
	case "openbsd":
		return "OpenBSD"
	case "dragonfly":
		return "DragonFly BSD"
	case "windows":
		return "Windows"
	}
	return goos
}

// markdownText is text that must not be taken for markup, in the cell of a table.
func markdownText(text string) string {
	return strings.NewReplacer("\n", " ", `\`, `\\`, "|", `\|`, "<", `\<`, "*", `\*`, "`", "\\`").Replace(text)
}

// code is text as a code span in the cell of a table, where a bar is escaped even so.
func code(text string) string {
	fence := "`"
	if strings.Contains(text, "`") {
		fence = "``"
	}
	return fence + strings.ReplaceAll(text, "|", `\|`) + fence
}

// noun is what a value of the parameter is, in few words.
func (p *Param) noun() string {
	if role := p.Kind.Role(); role != "" {
		return role.Noun()
	}
	switch p.Kind {
	case KindBool:
		return "yes or no"
	case KindInt, KindUint:
		least, most := p.limits()
		if p.Bits >= 64 {
			return "number"
		}
		return fmt.Sprintf("number, %d to %d", least, most)
	case KindPort:
		return "port number or service name"
	case KindDuration:
		return "duration: 30, 1.5s, 250ms"
	case KindSize:
		return "size: 4096, 64K, 1M"
	case KindMode:
		return "octal file mode"
	case KindAddress:
		return "IP address"
	case KindPrefix:
		return "IP prefix"
	case KindSecret:
		return "secret, or env:NAME, file:PATH, fd:N"
	}
	return string(p.Kind)
}

// limits are the least and the largest value of a number.
func (p *Param) limits() (least int64, most uint64) {
	if p.Kind == KindInt {
		return math.MinInt64 >> (64 - p.Bits), math.MaxInt64 >> (64 - p.Bits)
	}
	return 0, math.MaxUint64 >> (64 - p.Bits)
}
