package registry

// On returns r for another system than the one that runs.
func (r *Registry) On(goos string) *Registry {
	other := *r
	other.goos = goos
	return &other
}

// Distance is how far two words are from each other.
var Distance = distance
