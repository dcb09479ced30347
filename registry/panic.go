package registry

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// A PanicError says that a plugin panicked, when an endpoint was built or used. What it does in goroutines of its own
// can't be caught: a plugin that is not trusted that far belongs into a process of its own.
type PanicError struct {
	Plugins []string // the plugin, or those that the endpoint consists of, outermost first: one of them it was
	Value   any      // what was given to panic
	Stack   []byte   // where, as runtime/debug tells it
}

// Error names the plugin and tells the value.
func (e *PanicError) Error() string {
	return fmt.Sprintf("plugin %s panicked: %v", strings.Join(e.Plugins, " or "), e.Value)
}

// Unwrap returns the value, if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// guard makes a panic of the caller an error of its. It must be deferred itself, for recover to see the panic.
func (c compiled) guard(err *error) {
	if p := recover(); p != nil {
		e := &PanicError{Value: p, Stack: debug.Stack()}
		c.layer.Walk(func(l *Layer, _ int) { e.Plugins = append(e.Plugins, l.Plugin.Name) })
		*err = e
	}
}
