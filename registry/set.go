package registry

import (
	"encoding"
	"fmt"
	"reflect"
)

// set puts a decoded value into a field of an options struct. It is an error if the value is of no type that the field
// can take, which only arguments that were not decoded here are.
func set(v reflect.Value, value any) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		return set(v.Elem(), value)
	}
	switch value := value.(type) {
	case []any:
		return setSlice(v, value)
	case map[string]any:
		return setMap(v, value)
	}
	given := reflect.ValueOf(value)
	text, isText := value.(string)
	switch {
	case !given.IsValid():
	case given.Type().AssignableTo(v.Type()):
		v.Set(given)
		return nil
	case isText && unmarshals(v):
		return unmarshal(v, text)
	case v.CanInt() && (given.CanInt() || given.CanUint()):
		return setInt(v, given)
	case v.CanUint() && (given.CanInt() || given.CanUint()):
		return setUint(v, given)
	case given.Kind() == v.Kind() && given.CanConvert(v.Type()):
		v.Set(given.Convert(v.Type()))
		return nil
	}
	return fmt.Errorf("a %T can't be a %v", value, v.Type())
}

func setSlice(v reflect.Value, values []any) error {
	if v.Kind() != reflect.Slice {
		return fmt.Errorf("a list can't be a %v", v.Type())
	}
	v.Set(reflect.MakeSlice(v.Type(), len(values), len(values)))
	for i, element := range values {
		if err := set(v.Index(i), element); err != nil {
			return err
		}
	}
	return nil
}

func setMap(v reflect.Value, values map[string]any) error {
	if v.Kind() != reflect.Map || v.Type().Key().Kind() != reflect.String {
		return fmt.Errorf("a map can't be a %v", v.Type())
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(values)))
	for key, element := range values {
		e := reflect.New(v.Type().Elem()).Elem()
		if err := set(e, element); err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key).Convert(v.Type().Key()), e)
	}
	return nil
}

func unmarshals(v reflect.Value) bool {
	return v.CanAddr() && v.Addr().Type().Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

func unmarshal(v reflect.Value, text string) error {
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

func setInt(v, given reflect.Value) error {
	n := given.Convert(reflect.TypeFor[int64]()).Int()
	if v.OverflowInt(n) || given.CanUint() && n < 0 {
		return fmt.Errorf("%v is too large", given)
	}
	v.SetInt(n)
	return nil
}

func setUint(v, given reflect.Value) error {
	n := given.Convert(reflect.TypeFor[uint64]()).Uint()
	if v.OverflowUint(n) || given.CanInt() && given.Int() < 0 {
		return fmt.Errorf("%v is too large", given)
	}
	v.SetUint(n)
	return nil
}
