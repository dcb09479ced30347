package main

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
)

// serve accepts on the live addresses and closes what it has accepted.
func serve(ctx context.Context) error {
	for _, a := range append([]string{live4}, live6...) {
		l, err := net.Listen("tcp", net.JoinHostPort(a, port))
		if err != nil {
			return err
		}
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				_ = conn.Close()
			}
		}()
	}
	return untilDone(ctx)
}

func untilDone(ctx context.Context) error {
	if err := ready(); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

const dnsServer = "127.0.0.1:53"

// The names that the DNS server knows, with their addresses in the order of the answer.
var zone = map[string][]string{
	"drop1.example.":      slices.Concat(dropped6[:1], []string{live4}),
	"drop3.example.":      slices.Concat(dropped6[:3], []string{live4}),
	"drop5.example.":      slices.Concat(dropped6[:5], []string{live4}),
	"drop3then6.example.": slices.Concat(dropped6[:3], live6[:1]),
	"live1.example.":      slices.Concat(live6[:1], []string{live4}),
	"live3.example.":      slices.Concat(live6[:3], []string{live4}),
	"live5.example.":      slices.Concat(live6[:5], []string{live4}),
	"one4.example.":       {live4},
	"one6.example.":       live6[:1],
}

// serveDNS answers at once, over UDP.
func serveDNS(ctx context.Context) error {
	c, err := net.ListenPacket("udp4", dnsServer)
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if out, err := answer(buf[:n]); err == nil {
				_, _ = c.WriteTo(out, from)
			}
		}
	}()
	return untilDone(ctx)
}

// answer is the message that answers query.
func answer(query []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		return nil, err
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	for _, q := range m.Questions {
		addrs, ok := zone[strings.ToLower(q.Name.String())]
		if !ok {
			m.RCode = dnsmessage.RCodeNameError
		}
		for _, a := range addrs {
			if body := record(q.Type, netip.MustParseAddr(a)); body != nil {
				head := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60}
				m.Answers = append(m.Answers, dnsmessage.Resource{Header: head, Body: body})
			}
		}
	}
	return m.Pack()
}

// record is nil where a is of another family than what is asked for.
func record(kind dnsmessage.Type, a netip.Addr) dnsmessage.ResourceBody {
	switch {
	case kind == dnsmessage.TypeA && a.Is4():
		return &dnsmessage.AResource{A: a.As4()}
	case kind == dnsmessage.TypeAAAA && a.Is6():
		return &dnsmessage.AAAAResource{AAAA: a.As16()}
	}
	return nil
}
