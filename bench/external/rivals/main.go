// Command rivals is a plugin of go-plugin whose connections' bytes go over go-plugin itself.
package main

import "github.com/epctl/endpoint/bench/external/internal/rival"

func main() { rival.Serve() }
