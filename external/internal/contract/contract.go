// Package contract is what a host and a plugin have to agree on before they can talk.
package contract

import "github.com/hashicorp/go-plugin"

// Service is the name of what a program serves.
const Service = "endpoint"

// Cookie is a variable of the environment that says that a program is started as a plugin, and CookieValue its value.
// They keep nobody away: they let a program that is run by hand say what it is.
const (
	Cookie      = "ENDPOINT_PLUGIN"
	CookieValue = "started by an application that uses endpoints"
)

// LineFD is the descriptor of the line for descriptors in the plugin.
const LineFD = 3

// Window is how many bytes gRPC lets wait on their way.
const Window = 1 << 20

// Versions are the versions of the contract that this module speaks, ascending.
func Versions() []int { return []int{1} }

// Handshake is what go-plugin checks.
func Handshake() plugin.HandshakeConfig {
	return plugin.HandshakeConfig{MagicCookieKey: Cookie, MagicCookieValue: CookieValue}
}
