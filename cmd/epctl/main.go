// Command epctl shows on the command line what endpoint strings are and do: it checks and explains them, connects to
// them, listens on them, and tries them out.
//
// The exit status is 0 where all is right, 1 where an endpoint is wrong or failed, 2 where the command line is wrong,
// and 128 and the signal's number where a signal ended a verb that talks to the network. What is wrong goes to stderr.
package main

import (
	"context"
	"os"

	"github.com/epctl/endpoint"
	"github.com/epctl/endpoint/registry"
)

func main() { os.Exit(withRegistry(endpoint.Default)) }

func withRegistry(r *registry.Registry) int {
	return run(context.Background(), r, os.Args[1:], process{os.Stdin, os.Stdout, os.Stderr, os.Getenv})
}
