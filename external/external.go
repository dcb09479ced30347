// Package external makes a program on disk look like a [registry.Plugin], and a registry.Plugin into such a program.
//
// A plugin as a program can be added, upgraded and distrusted without touching the application, and takes nothing with
// it when it crashes. Its main function is
//
//	func main() { external.Serve(myplugin.Plugin) }
//
// and an application adds what it finds in a directory of its own to its registry:
//
//	plugins, err := external.OpenDir("/usr/lib/myapp/plugins")
//	…
//	defer plugins.Close()
//	registry, err := endpoint.Default.With(plugins.Plugins()...)
//
// Control goes over gRPC; connections do not: a plugin that makes a socket hands the socket itself over, and the
// application holds a real *net.TCPConn. What a plugin transforms comes through a pair of unix sockets. The contract, for
// plugins in other languages, is in the directory wire.
//
// Programs are looked for only in the directories that the application names, and started only if nobody else can write
// them and their checksum is in the directory's lock file, which [Lock] writes. They get no standard input, none of the
// application's descriptors and of its environment only what is listed at [Env]. That keeps out who can't write there; it
// is no sandbox: a plugin that was locked runs with the rights of the application.
//
// It needs Linux, macOS or a BSD; elsewhere [Open] says so.
package external

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/epctl/endpoint/external/internal/fdpass"
	"github.com/epctl/endpoint/external/internal/guest"
	"github.com/epctl/endpoint/external/internal/host"
	"github.com/epctl/endpoint/external/internal/peer"
	"github.com/epctl/endpoint/registry"
)

// ErrPluginGone is the error of all that is under way in a plugin whose program ends, and of all that comes until it is
// started again. Connections that are sockets live on.
var ErrPluginGone = peer.ErrGone

// ErrDisabled says that a program has crashed more than five times within a minute, and is started no more. It comes
// with [ErrPluginGone].
var ErrDisabled = host.ErrDisabled

// ErrClosed says that a program is used after its Close. It comes with [ErrPluginGone].
var ErrClosed = host.ErrClosed

// ErrUnsupported says that the system can't have plugins as programs.
var ErrUnsupported = fdpass.ErrUnsupported

// Serve is the whole main function of a plugin's program. It serves the plugins until the application that has started
// the program wants it to end, or is gone, and then ends the program. Run by hand, the program says what it is, and ends
// with status 1.
//
// Standard input is empty, and what is written to standard error may be shown by the application, shortened. The file
// mode mask is 077 where the system can give a process one of its own (Linux). A program that must end at a signal or
// clean up does not outlive the application by more than a second: there all processes of its group are killed.
func Serve(plugins ...registry.Plugin) {
	if _, err := registry.New(plugins...); err != nil {
		exit(err.Error())
	}
	if !guest.Started() {
		help(plugins)
		os.Exit(1)
	}
	if err := guest.Serve(plugins); err != nil {
		exit(err.Error())
	}
	os.Exit(0)
}

func exit(message string) {
	fmt.Fprintln(os.Stderr, filepath.Base(os.Args[0])+": "+message)
	os.Exit(1)
}

func help(plugins []registry.Plugin) {
	fmt.Fprintf(os.Stderr, "%s is no program to run by hand: it adds kinds of endpoints to applications that use them.\n\n",
		filepath.Base(os.Args[0]))
	for _, p := range plugins {
		fmt.Fprintf(os.Stderr, "  %-12s %s\n", p.Name, p.Doc)
	}
	fmt.Fprint(os.Stderr, "\nInstall it for epctl, and see what it does:\n\n")
	path, err := os.Executable()
	if err != nil {
		path = os.Args[0]
	}
	fmt.Fprintf(os.Stderr, "  epctl plugins install %s\n", path)
	if len(plugins) > 0 {
		fmt.Fprintf(os.Stderr, "  epctl doc %s\n", plugins[0].Name)
	}
}
