package wire

import (
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"github.com/epctl/endpoint/registry"
)

// An Encoder says how the values are sent that are more than data.
type Encoder struct {
	Endpoint func(role registry.Role, endpoint any) uint64 // the number of an inner endpoint
	Secret   func(registry.Secret) (string, error)         // what is sent of a secret
}

// Args are the arguments as they are sent.
func (e Encoder) Args(args registry.Args) ([]*Arg, error) {
	var sent []*Arg
	for _, a := range args.All() {
		arg := &Arg{Name: a.Param.Name, Given: a.Given, Text: Valid(a.Text)}
		if a.Value != nil {
			v, err := e.value(a.Param.Kind, a.Value)
			if err != nil {
				return nil, err
			}
			arg.Value = v
		}
		sent = append(sent, arg)
	}
	return sent, nil
}

func (e Encoder) value(kind registry.Kind, value any) (*Value, error) {
	switch v := value.(type) {
	case nil:
		return &Value{}, nil // of an empty element
	case []any:
		list := &List{}
		for _, element := range v {
			w, err := e.value(kind, element)
			if err != nil {
				return nil, err
			}
			list.Values = append(list.Values, w)
		}
		return &Value{Is: &Value_List{list}}, nil
	case map[string]any:
		m := &Map{Values: map[string]*Value{}}
		for key, element := range v {
			w, err := e.value(kind, element)
			if err != nil {
				return nil, err
			}
			m.Values[key] = w
		}
		return &Value{Is: &Value_Map{m}}, nil
	case registry.Secret:
		text, err := e.Secret(v)
		return &Value{Is: &Value_Secret{text}}, err
	}
	if role := kind.Role(); role != "" {
		return &Value{Is: &Value_Endpoint{e.Endpoint(role, value)}}, nil
	}
	return plainValue(value)
}

func plainValue(value any) (*Value, error) {
	switch v := value.(type) {
	case string:
		return &Value{Is: &Value_Text{Valid(v)}}, nil
	case netip.Addr:
		return &Value{Is: &Value_Text{v.String()}}, nil
	case netip.Prefix:
		return &Value{Is: &Value_Text{v.String()}}, nil
	case bool:
		return &Value{Is: &Value_Bool{v}}, nil
	case int64:
		return &Value{Is: &Value_Int{v}}, nil
	case time.Duration:
		return &Value{Is: &Value_Int{int64(v)}}, nil
	case uint64:
		return &Value{Is: &Value_Uint{v}}, nil
	case uint16:
		return &Value{Is: &Value_Uint{uint64(v)}}, nil
	case fs.FileMode:
		return &Value{Is: &Value_Uint{uint64(v)}}, nil
	}
	return nil, fmt.Errorf("a value of type %T can't be sent", value)
}

// A Decoder says what becomes of the values that are more than data.
type Decoder struct {
	Endpoint func(role registry.Role, number uint64) any // the inner endpoint of that number
}

// Args are arguments that were sent, for a plugin with the given parameters.
func (d Decoder) Args(params []registry.Param, sent []*Arg) (registry.Args, error) {
	if len(params) != len(sent) {
		return registry.Args{}, fmt.Errorf("%d arguments came for %d parameters", len(sent), len(params))
	}
	args := make([]registry.Arg, len(params))
	for i, p := range params {
		a := sent[i]
		if a.Name != p.Name {
			return registry.Args{}, fmt.Errorf("an argument for %q came in place of one for %q", a.Name, p.Name)
		}
		args[i] = registry.Arg{Param: p, Given: a.Given, Text: a.Text}
		if a.Value == nil {
			continue
		}
		value, err := d.value(p.Kind, a.Value)
		if err != nil {
			return registry.Args{}, fmt.Errorf("argument %q: %w", p.Name, err)
		}
		args[i].Value = value
	}
	return registry.NewArgs(args), nil
}

func (d Decoder) value(kind registry.Kind, value *Value) (any, error) {
	switch v := value.GetIs().(type) {
	case nil:
		return nil, nil
	case *Value_List:
		list := []any{}
		for _, element := range v.List.Values {
			decoded, err := d.value(kind, element)
			if err != nil {
				return nil, err
			}
			list = append(list, decoded)
		}
		return list, nil
	case *Value_Map:
		m := map[string]any{}
		for key, element := range v.Map.Values {
			decoded, err := d.value(kind, element)
			if err != nil {
				return nil, err
			}
			m[key] = decoded
		}
		return m, nil
	case *Value_Endpoint:
		if role := kind.Role(); role != "" {
			return d.Endpoint(role, v.Endpoint), nil
		}
	case *Value_Secret:
		if kind == registry.KindSecret {
			return registry.NewSecret(v.Secret), nil
		}
	case *Value_Text:
		return textValue(kind, v.Text)
	case *Value_Bool:
		return v.Bool, nil
	case *Value_Int:
		if kind == registry.KindDuration {
			return time.Duration(v.Int), nil
		}
		return v.Int, nil
	case *Value_Uint:
		return uintValue(kind, v.Uint)
	}
	return nil, fmt.Errorf("%T is no value of kind %s", value.GetIs(), kind)
}

func textValue(kind registry.Kind, text string) (any, error) {
	switch kind {
	case registry.KindAddress:
		return netip.ParseAddr(text)
	case registry.KindPrefix:
		return netip.ParsePrefix(text)
	}
	return text, nil
}

func uintValue(kind registry.Kind, n uint64) (any, error) {
	switch kind {
	case registry.KindPort:
		return uint16(n), nil
	case registry.KindMode:
		return fs.FileMode(n), nil
	}
	return n, nil
}
