package registry

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// services is "name port" a line: the common part of IANA's registry of service names, the same for TCP and UDP.
//
//go:embed services.txt
var services string

var servicePorts = sync.OnceValue(func() map[string]uint16 {
	ports := make(map[string]uint16)
	for line := range strings.Lines(services) {
		name, number, ok := strings.Cut(strings.TrimSpace(line), " ")
		if port, err := strconv.ParseUint(number, 10, 16); ok && err == nil {
			ports[name] = uint16(port)
		}
	}
	return ports
})

func servicePort(name string) (uint16, bool) {
	port, ok := servicePorts()[lowerASCII(name)]
	return port, ok
}

func serviceNames() []string {
	names := make([]string, 0, len(servicePorts()))
	for line := range strings.Lines(services) {
		name, _, _ := strings.Cut(line, " ")
		names = append(names, name)
	}
	return names
}
