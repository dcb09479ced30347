package endpoint

//go:generate go run ./cmd/internal/specgen

import (
	"github.com/epctl/endpoint/plugins/alliface"
	"github.com/epctl/endpoint/plugins/chain"
	"github.com/epctl/endpoint/plugins/dns"
	"github.com/epctl/endpoint/plugins/hostname"
	"github.com/epctl/endpoint/plugins/hosts"
	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/plugins/ssl"
	"github.com/epctl/endpoint/plugins/starttls"
	"github.com/epctl/endpoint/plugins/static"
	"github.com/epctl/endpoint/plugins/system"
	"github.com/epctl/endpoint/plugins/tcp"
	"github.com/epctl/endpoint/plugins/tcp4"
	"github.com/epctl/endpoint/plugins/tcp6"
	"github.com/epctl/endpoint/plugins/tls"
	"github.com/epctl/endpoint/plugins/udp"
	"github.com/epctl/endpoint/registry"
)

// Default is the registry of the built-in plugins, which the functions of this package use. It never changes;
// Default.With(yours.Plugin) is a new one that has yours too.
var Default = registry.Must(registry.New(
	alliface.Plugin,
	chain.Plugin,
	dns.Plugin,
	hostname.Plugin,
	hosts.Plugin,
	multicast.Plugin,
	ssl.Plugin,
	starttls.Plugin,
	static.Plugin,
	system.Plugin,
	tcp.Plugin,
	tcp4.Plugin,
	tcp6.Plugin,
	tls.Plugin,
	udp.Plugin,
))
