package endpoint

//go:generate go run ./cmd/internal/specgen

import (
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/registry"
)

// Default is the registry of the built-in plugins, which the functions of this package use. It never changes;
// Default.With(yours.Plugin) is a new one that has yours too.
var Default = registry.Must(registry.New(
	hostname.Plugin,
	tcp.Plugin,
	tcp4.Plugin,
	tcp6.Plugin,
))
