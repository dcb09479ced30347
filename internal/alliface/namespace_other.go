//go:build !linux

package alliface

// A namespace is what only Linux has.
type namespace struct{}

func thisNamespace() *namespace { return &namespace{} }

func (n *namespace) do(f func()) error {
	f()
	return nil
}

func (n *namespace) close() {}
