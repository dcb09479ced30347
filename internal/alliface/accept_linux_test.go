package alliface

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/sockopt"
)

// A contestant is a listener whose rate is measured.
type contestant struct {
	name      string
	ln        net.Listener
	addrs     []net.Addr
	wall, cpu []time.Duration // a connection, of each round
}

const (
	acceptRounds = 15
	acceptConns  = 2000 // a round
	dialers      = 8    // at a time
)

// BenchmarkAccept makes, accepts and closes connections over one listener of package net and over alliface with 1, 4 and
// 64 sockets, in turns, so that what else the machine does is shared by all. It reports of a connection, both ends, the
// least time of a round, the median of the processor time, and the latter in relation. "few" is the listener with 64
// sockets of which only four are connected to: what it has more than "4" is the price of sockets that nobody uses.
// "plain" is 64 listeners of package net and a channel: what it has more than "4" is the price of 64 destinations.
func BenchmarkAccept(b *testing.B) {
	list := contestants(b)
	for b.Loop() {
		for round := range acceptRounds {
			for i := range list {
				list[(i+round)%len(list)].round(b)
			}
		}
	}
	cpu := make(map[string]float64)
	for _, c := range list {
		cpu[c.name] = median(c.cpu)
		b.ReportMetric(float64(slices.Min(c.wall))/1000, c.name+"-us")
		b.ReportMetric(median(c.cpu)/1000, c.name+"-cpu-us")
	}
	b.ReportMetric(cpu["net"]/cpu["1"], "rate-1/net")
	b.ReportMetric(cpu["net"]/cpu["4"], "rate-4/net")
	b.ReportMetric(cpu["few"]/cpu["4"], "cost-few/4")
	b.ReportMetric(cpu["64"]/cpu["4"], "cost-64/4")
	b.ReportMetric(cpu["64"]/cpu["plain"], "cost-64/plain")
}

func contestants(b *testing.B) []*contestant {
	one := listenPlain(b, 1)
	list := []*contestant{{name: "net", ln: one[0], addrs: []net.Addr{one[0].Addr()}}}
	for _, n := range []int{1, 4, 64} {
		l := NewServer(everywhere(0), 0, sockopt.DefaultListen()).listener(nil)
		source := newFakeSource(eth(1, "lo", hosts(n)...))
		l.set.source, l.set.now = source, source.Snapshot()
		if err := l.set.start(context.Background()); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = l.Close() })
		list = append(list, &contestant{name: fmt.Sprint(n), ln: l, addrs: l.Addrs()})
	}
	few := list[len(list)-1]
	return append(list, &contestant{name: "few", ln: few.ln, addrs: few.addrs[:4]}, newPlain(b, 64))
}

func listenPlain(b *testing.B, n int) (list []net.Listener) {
	for _, host := range hosts(n) {
		ln, err := net.Listen("tcp4", host+":0")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = ln.Close() })
		list = append(list, ln)
	}
	return list
}

// A plain listener is the least that can join several.
type plain struct {
	net.Listener
	conns chan net.Conn
}

func (p *plain) Accept() (net.Conn, error) { return <-p.conns, nil }

func newPlain(b *testing.B, n int) *contestant {
	p := &plain{conns: make(chan net.Conn)}
	c := &contestant{name: "plain", ln: p}
	for _, ln := range listenPlain(b, n) {
		c.addrs = append(c.addrs, ln.Addr())
		go func() {
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				p.conns <- conn
			}
		}()
	}
	return c
}

// round makes acceptConns connections, spread over the addresses, and accepts them in one loop.
func (c *contestant) round(b *testing.B) {
	start, used := time.Now(), processorTime()
	var dialed sync.WaitGroup
	for d := range dialers {
		dialed.Go(func() {
			for i := d; i < acceptConns; i += dialers {
				if err := visit(c.addrs[i%len(c.addrs)].(*net.TCPAddr)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range acceptConns {
		conn, err := c.ln.Accept()
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.Close()
	}
	dialed.Wait()
	c.wall = append(c.wall, time.Since(start)/acceptConns)
	c.cpu = append(c.cpu, (processorTime()-used)/acceptConns)
}

// visit connects and waits until the other side has closed.
func visit(addr *net.TCPAddr) error {
	conn, err := net.DialTCP("tcp4", nil, addr)
	if err != nil {
		return err
	}
	_ = conn.SetLinger(0) // no port stays in TIME_WAIT
	_, _ = conn.Read(make([]byte, 1))
	return conn.Close()
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(list []time.Duration) float64 {
	list = slices.Sorted(slices.Values(list))
	return float64(list[len(list)/2])
}
