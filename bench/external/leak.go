package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"time"

	"github.com/epctl/endpoint/registry"
)

// settleTime is how long what was closed may take to be gone.
const settleTime = 10 * time.Second

// A Leak is what is left of many connections whose both ends went through a plugin.
type Leak struct {
	Case        string `json:"case"`
	Connections int    `json:"connections"`
	Descriptors int    `json:"descriptors"`        // more than before, in this process
	Goroutines  int    `json:"goroutines"`         // more than before, in this process
	Plugin      int    `json:"plugin_descriptors"` // more than before, in the plugin's
}

// Met reports whether nothing is left.
func (l Leak) Met() bool { return l.Descriptors <= 0 && l.Goroutines <= 0 && l.Plugin <= 0 }

func (l *lab) leaks(ctx context.Context, n int) ([]Leak, error) {
	var all []Leak
	for _, c := range []struct{ name, prefix string }{{"TCP", ""}, {"transformed", "turn:"}} {
		leak, err := l.leak(ctx, c.prefix, n)
		if err != nil {
			return nil, fmt.Errorf("%s, %d connections: %w", c.name, n, err)
		}
		leak.Case = c.name
		all = append(all, leak)
	}
	return all, nil
}

func (l *lab) leak(ctx context.Context, prefix string, n int) (Leak, error) {
	ln, err := listen(ctx, l.outside, prefix)
	if err != nil {
		return Leak{}, err
	}
	defer ln.Close()
	client, err := clientOf(l.outside, prefix, ln.Addr())
	if err != nil {
		return Leak{}, err
	}
	const warm = 10
	if err := pass(ctx, ln, client, warm); err != nil {
		return Leak{}, err
	}
	time.Sleep(settleTime / 10)
	before := l.count()
	if err := pass(ctx, ln, client, n); err != nil {
		return Leak{}, err
	}
	left := Leak{Connections: n}
	for deadline := time.Now().Add(settleTime); ; {
		now := l.count()
		left.Descriptors, left.Goroutines, left.Plugin = now[0]-before[0], now[1]-before[1], now[2]-before[2]
		if left.Met() || time.Now().After(deadline) {
			return left, nil
		}
		time.Sleep(settleTime / 100)
	}
}

// count tells the descriptors and goroutines of this process, and the descriptors of the plugin's.
func (l *lab) count() [3]int {
	return [3]int{descriptors(os.Getpid()), runtime.NumGoroutine(), descriptors(l.program.PID())}
}

func descriptors(pid int) int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries)
}

func clientOf(r *registry.Registry, prefix string, addr net.Addr) (registry.Client, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return nil, err
	}
	return r.NewClient(prefix + "tcp4:" + host + ":" + port)
}

// pass connects n times, with a byte on each connection.
func pass(ctx context.Context, ln net.Listener, client registry.Client, n int) error {
	served := make(chan error, 1)
	go func() {
		for range n {
			conn, err := ln.Accept()
			if err != nil {
				served <- err
				return
			}
			err = serve(conn)
			drop(conn)
			if err != nil {
				served <- err
				return
			}
		}
		served <- nil
	}()
	for range n {
		if err := firstByte(ctx, client.Dial); err != nil {
			return err
		}
	}
	return <-served
}
