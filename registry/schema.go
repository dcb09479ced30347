package registry

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// Schema returns a JSON Schema (draft 2020-12) of endpoints as a config file may hold them: as a string, or decoded into
// an object of one member, whose name is the endpoint's and whose value holds the parameters:
//
//	"tcp6:80:interface=[::1]"
//	{"tcp6": {"port": 80, "interface": "::1"}}
//	{"starttls": {"endpoint": {"tcp6": {"host": "::1", "port": 25}}, "proto": "smtp"}}
//
// The name stands outside of the parameters, so that it can't clash with one of theirs.
//
// The schema itself takes an endpoint of any role; $defs has one for each role, by the names of [Roles], and the
// parameters of each plugin in each role, as "tcp6.client". An inner endpoint refers to its role. Equal registries give
// equal bytes.
func (r *Registry) Schema() ([]byte, error) {
	defs := make(map[string]*schema)
	root := &schema{Schema: "https://json-schema.org/draft/2020-12/schema", Title: "endpoint", Defs: defs}
	for _, role := range Roles() {
		defs[string(role)] = r.roleSchema(role, defs)
		root.AnyOf = append(root.AnyOf, reference(string(role)))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(root)
	return b.Bytes(), err
}

// A schema is the part of JSON Schema that endpoints need.
type schema struct {
	Schema      string             `json:"$schema,omitempty"`
	Ref         string             `json:"$ref,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        string             `json:"type,omitempty"`
	Enum        []any              `json:"enum,omitempty"`
	AnyOf       []*schema          `json:"anyOf,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	MinLength   int                `json:"minLength,omitempty"`
	Minimum     json.Number        `json:"minimum,omitempty"`
	Maximum     json.Number        `json:"maximum,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Properties  map[string]*schema `json:"properties,omitempty"`
	Required    []string           `json:"required,omitempty"`
	Additional  any                `json:"additionalProperties,omitempty"` // a *schema, or false
	MinMembers  int                `json:"minProperties,omitempty"`
	MaxMembers  int                `json:"maxProperties,omitempty"`
	Default     any                `json:"default,omitempty"`
	Defs        map[string]*schema `json:"$defs,omitempty"`
}

func reference(def string) *schema { return &schema{Ref: "#/$defs/" + def} }

// roleSchema is that of an endpoint of one role; it adds the plugins' parameters to defs.
func (r *Registry) roleSchema(role Role, defs map[string]*schema) *schema {
	object := &schema{Type: "object", Properties: make(map[string]*schema), Additional: false, MinMembers: 1, MaxMembers: 1}
	for _, p := range r.Plugins() {
		if p.factory(role) == nil {
			continue
		}
		def := p.Name + "." + string(role)
		defs[def] = p.schema(role)
		object.Properties[p.Name] = reference(def)
	}
	text := &schema{Type: "string", MinLength: 1}
	return &schema{Title: role.Noun(), AnyOf: []*schema{text, object}}
}

func (p Plugin) schema(role Role) *schema {
	object := &schema{Type: "object", Description: p.Doc, Properties: make(map[string]*schema), Additional: false}
	for _, param := range p.Params(role) {
		if param.Map {
			object.Additional = param.schema()
			if param.Required {
				object.MinMembers = 1
			}
			continue
		}
		object.Properties[param.Name] = param.schema()
		if param.Required {
			object.Required = append(object.Required, param.Name)
		}
	}
	return object
}

func (p *Param) schema() *schema {
	s := p.valueSchema()
	if p.List {
		list := &schema{Type: "array", Items: s}
		if s = list; p.Kind.Role() == "" {
			s = &schema{AnyOf: []*schema{list, {Type: "string"}}}
		}
	}
	s.Description = p.Doc
	if p.OS != nil {
		s.Description += "; " + p.systems() + " only"
	}
	if !p.Required && !p.Optional {
		s.Default = p.defaultJSON()
	}
	return s
}

// valueSchema is that of one value.
func (p *Param) valueSchema() *schema {
	number := &schema{Type: "integer"}
	switch {
	case p.Kind.Role() != "":
		return reference(string(p.Kind.Role()))
	case p.Enum != nil:
		return &schema{Enum: p.enumJSON()}
	}
	switch p.Kind {
	case KindBool:
		return &schema{Enum: []any{true, false, "yes", "no", "true", "false", "on", "off"}}
	case KindInt, KindUint:
		least, most := p.limits()
		number.Minimum = json.Number(strconv.FormatInt(least, 10))
		number.Maximum = json.Number(strconv.FormatUint(most, 10))
		return number
	case KindPort:
		number.Minimum, number.Maximum = "0", "65535"
		return &schema{AnyOf: []*schema{number, {Type: "string", Pattern: "^([0-9]{1,5}|[A-Za-z][A-Za-z0-9-]*)$"}}}
	case KindDuration:
		return &schema{AnyOf: []*schema{{Type: "number", Minimum: "0"}, {Type: "string", Pattern: "^[0-9.]"}}}
	case KindSize:
		number.Minimum = "0"
		return &schema{AnyOf: []*schema{number, {Type: "string", Pattern: "^[0-9]+[KMGkmg]?$"}}}
	case KindMode:
		return &schema{Type: "string", Pattern: "^[0-7]{1,4}$"} // as a number it would be read as decimal
	}
	return &schema{Type: "string"}
}

// enumJSON gives each value as the text that it is, and also as what a config file would make of it.
func (p *Param) enumJSON() []any {
	var values []any
	for _, text := range p.Enum {
		values = append(values, text)
		if typed := p.typed(text); typed != any(text) {
			values = append(values, typed)
		}
	}
	return values
}

func (p *Param) defaultJSON() any {
	if !p.List {
		return p.typed(p.Default)
	}
	values := []any{}
	if p.Default != "" {
		for element := range strings.SplitSeq(p.Default, ",") {
			values = append(values, p.typed(element))
		}
	}
	return values
}

// typed is the text of a value as JSON has it.
func (p *Param) typed(text string) any {
	switch p.Kind {
	case KindBool:
		if v, bad := decodeBool(text); bad == nil {
			return v
		}
	case KindInt, KindUint, KindPort, KindDuration, KindSize:
		if number := strings.TrimPrefix(text, "-"); number != "" && digits(number) == nil {
			return json.Number(text)
		}
	}
	return text
}
