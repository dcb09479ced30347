//go:build linux

package interop

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// A socket is one on which somebody waits for others.
type socket struct {
	netip.AddrPort
	network string
}

func (s socket) String() string { return s.network + " " + s.AddrPort.String() }

// listeners are the sockets of all processes of a group.
func listeners(group int) []socket {
	inodes := map[string]bool{}
	for _, pid := range groupMembers(group) {
		links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // none where the process is gone
		for _, link := range links {
			if target, err := os.Readlink(link); err == nil {
				inodes[strings.TrimSuffix(strings.TrimPrefix(target, "socket:["), "]")] = true
			}
		}
	}
	return sockets(group, inodes)
}

// sockets are the TCP sockets that listen and the UDP sockets that have one of the inodes, nil for all, in the network
// namespace of a process. That of /proc/net is not it: our main thread may have been left in another one by a test.
func sockets(pid int, inodes map[string]bool) []socket {
	var found []socket
	for _, network := range []string{"tcp", "tcp6", "udp", "udp6"} {
		table, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, network))
		if err != nil {
			continue // a machine without IPv6, or a process that has ended
		}
		for _, line := range strings.Split(string(table), "\n")[1:] {
			if address, ok := parseSocket(line, network, inodes); ok {
				found = append(found, socket{address, network})
			}
		}
	}
	return found
}

// groupMembers are the processes of a process group; see proc_pid_stat(5).
func groupMembers(group int) []int {
	var members []int
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		// The name in parentheses may have anything in it: the fields are counted from behind it.
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		if len(fields) > 2 && fields[2] == strconv.Itoa(group) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if err == nil {
				members = append(members, pid)
			}
		}
	}
	return members
}

// parseSocket reads a line of /proc/net/tcp and its like; see proc_pid_net(5). It is not ok for a socket of another inode, and
// for one of a connection.
func parseSocket(line, network string, inodes map[string]bool) (netip.AddrPort, bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 || inodes != nil && !inodes[fields[9]] {
		return netip.AddrPort{}, false
	}
	const listen, unconnected = "0A", "07"
	if state := fields[3]; state != listen && (strings.HasPrefix(network, "tcp") || state != unconnected) {
		return netip.AddrPort{}, false
	}
	host, port, _ := strings.Cut(fields[1], ":")
	number, badPort := strconv.ParseUint(port, 16, 16)
	bytes, badHost := hex.DecodeString(host)
	if badPort != nil || badHost != nil {
		return netip.AddrPort{}, false
	}
	// Words in the machine's order, which is little-endian on all that Debian runs these servers on.
	for word := range slices.Chunk(bytes, 4) {
		slices.Reverse(word)
	}
	address, ok := netip.AddrFromSlice(bytes)
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), ok
}
