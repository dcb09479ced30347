package registry_test

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// validate checks v by the part of JSON Schema that the schemas of endpoints use. It fails on keywords that it does not
// know, so that none is left unchecked.
func validate(root, schema map[string]any, v any, at string) error {
	for keyword, arg := range schema {
		if err := validateKeyword(root, schema, keyword, arg, v, at); err != nil {
			return err
		}
	}
	return nil
}

func validateKeyword(root, schema map[string]any, keyword string, arg, v any, at string) error {
	object, _ := v.(map[string]any)
	number, isNumber := v.(float64)
	text, isText := v.(string)
	bad := func(ok bool) error {
		if ok {
			return nil
		}
		return fmt.Errorf("%s: %v is against %s %v", at, v, keyword, arg)
	}
	switch keyword {
	case "$schema", "$defs", "title", "description", "default":
		return nil
	case "$ref":
		return validate(root, resolve(root, arg.(string)), v, at)
	case "type":
		return bad(typeOf(v) == arg || arg == "number" && typeOf(v) == "integer")
	case "enum":
		return bad(slices.ContainsFunc(arg.([]any), func(a any) bool { return reflect.DeepEqual(a, v) }))
	case "anyOf":
		return bad(slices.ContainsFunc(arg.([]any), func(a any) bool { return validate(root, a.(map[string]any), v, at) == nil }))
	case "pattern":
		return bad(!isText || regexp.MustCompile(arg.(string)).MatchString(text))
	case "minLength":
		return bad(!isText || float64(len([]rune(text))) >= arg.(float64))
	case "minimum":
		return bad(!isNumber || number >= arg.(float64))
	case "maximum":
		return bad(!isNumber || number <= arg.(float64))
	case "minProperties":
		return bad(object == nil || float64(len(object)) >= arg.(float64))
	case "maxProperties":
		return bad(object == nil || float64(len(object)) <= arg.(float64))
	case "required":
		return bad(object == nil || !slices.ContainsFunc(arg.([]any), func(a any) bool { _, ok := object[a.(string)]; return !ok }))
	case "items":
		list, _ := v.([]any)
		for i, element := range list {
			if err := validate(root, arg.(map[string]any), element, fmt.Sprintf("%s[%d]", at, i)); err != nil {
				return err
			}
		}
		return nil
	case "properties":
		for name, s := range arg.(map[string]any) {
			if member, ok := object[name]; ok {
				if err := validate(root, s.(map[string]any), member, at+"."+name); err != nil {
					return err
				}
			}
		}
		return nil
	case "additionalProperties":
		properties, _ := schema["properties"].(map[string]any)
		for name, member := range object {
			if _, ok := properties[name]; ok {
				continue
			}
			s, ok := arg.(map[string]any)
			if !ok {
				return bad(false)
			}
			if err := validate(root, s, member, at+"."+name); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%s: the keyword %s is not known", at, keyword)
}

func typeOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case float64:
		if v == math.Trunc(v) {
			return "integer"
		}
	}
	return "number"
}

func resolve(root map[string]any, ref string) map[string]any {
	defs, _ := root["$defs"].(map[string]any)
	def, _ := defs[strings.TrimPrefix(ref, "#/$defs/")].(map[string]any)
	return def
}

// walk calls f for each schema in v.
func walk(v any, f func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(v)
		for _, inner := range v {
			walk(inner, f)
		}
	case []any:
		for _, inner := range v {
			walk(inner, f)
		}
	}
}
