package alliface_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/plugins/alliface"
	"github.com/epctl/endpoint/registry"
	"github.com/epctl/endpoint/registry/registrytest"
)

func TestConformance(t *testing.T) {
	registrytest.Run(t, alliface.Plugin, registrytest.Live(
		"alliface:port=0:include=[127.0.0.1,::1]", "alliface:port=0:include=127.0.0.0/8", "alliface:port=0:include=[127.0.0.1,::1]:watch=no",
	))
}

var plugins = registry.Must(registry.New(alliface.Plugin))

func TestRefusals(t *testing.T) {
	stream, packet := registry.RoleServer, registry.RolePacketServer
	for _, tc := range []struct {
		role      registry.Role
		s         string
		at, fault string
	}{
		{stream, "alliface:80:mode=wildcard:include=lo", "lo", "mode=wildcard takes every address; mode=each can choose"},
		{packet, "alliface:80:mode=wildcard:exclude=lo", "lo", "mode=wildcard takes every address; mode=each can choose"},
		{stream, "alliface:80:mode=wildcard:loopback=no", "no", "mode=wildcard takes every address; mode=each can choose"},
		{stream, "alliface:80:backlog=-1", "-1", "can't be negative"},
		{stream, "alliface:80:family=6:tos=16", "16", "is for IPv4; the same for IPv6 is trafficClass"},
		{packet, "alliface:80:family=4:trafficClass=16", "16", "is for IPv6; the same for IPv4 is tos"},
		{stream, "alliface:80:mode=all", "all", `"all" is not one of each, wildcard`},
		{stream, "alliface:80:include=[eth0,10.0.0.0/40]", "10.0.0.0/40", `"10.0.0.0/40" is no prefix such as 192.0.2.0/24 or 2001:db8::/32, and no name of an interface`},
		// LI-08
		{stream, "alliface:80:exclude=[::ffff:192.0.2.1]", "::ffff:192.0.2.1", "::ffff:192.0.2.1 is an IPv4 address in IPv6 form; write 192.0.2.1"},
		{packet, "alliface:80:backlog=5", "backlog", ""},
	} {
		_, _, err := plugins.Build(tc.s, tc.role)
		faults := grammar.All(err)
		if len(faults) != 1 || tc.fault != "" && faults[0].Message != tc.fault || tc.s[faults[0].Start:faults[0].End] != tc.at {
			t.Errorf("%s as a %s: %v; want %q at %s", tc.s, tc.role.Noun(), err, tc.fault, tc.at)
		}
	}
}

func listen(t *testing.T, s string) *alliface.Listener {
	t.Helper()
	server, err := plugins.NewServer(s)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := server.Listen(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	return ln.(*alliface.Listener)
}

// http.Server serves every address, and Shutdown ends it.
func TestHTTPServer(t *testing.T) {
	ln := listen(t, "alliface:port=0:include=[127.0.0.1,::1]")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey))
	})}
	done := make(chan error, 1)
	go func() { done <- server.Serve(ln) }()
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
	for _, addr := range ln.Addrs() {
		answer, err := client.Get("http://" + addr.String() + "/")
		if err != nil {
			t.Error(err)
			continue
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil || string(body) != addr.String() {
			t.Errorf("%s: %q, %v", addr, body, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	if err := <-done; err != http.ErrServerClosed {
		t.Errorf("Serve ends with %v", err)
	}
}

// What a listener of many sockets can't be is not claimed, and connections are those of package net.
func TestTypes(t *testing.T) {
	ln := listen(t, "alliface:port=0:include=[127.0.0.1,::1]")
	if _, ok := net.Listener(ln).(syscall.Conn); ok {
		t.Error("the listener claims to be one socket")
	}
	if _, ok := ln.Addr().(*net.TCPAddr); !ok || len(ln.Addrs()) == 0 {
		t.Errorf("it listens on %T, %v", ln.Addr(), ln.Addrs())
	}
	client, err := net.Dial("tcp", ln.Addrs()[0].String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, ok := conn.(*net.TCPConn); !ok || conn.LocalAddr().String() != ln.Addrs()[0].String() {
		t.Errorf("accepted a %T at %s", conn, conn.LocalAddr())
	}
}

// LI-10: all or nothing.
func TestAPortThatIsTakenOnOneAddress(t *testing.T) {
	other, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	_, port, _ := net.SplitHostPort(other.Addr().String())
	server, err := plugins.NewServer("alliface:" + port + ":include=[127.0.0.1,::1]")
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Listen(context.Background())
	var op *net.OpError
	if !errors.As(err, &op) || op.Addr.String() != "127.0.0.1:"+port {
		t.Fatalf("the error is %v", err)
	}
	_ = other.Close()
	if ln, err := server.Listen(context.Background()); err != nil {
		t.Errorf("something is left bound: %v", err)
	} else {
		_ = ln.Close()
	}
}

func TestNothingToListenOn(t *testing.T) {
	server, err := plugins.NewServer("alliface:0:include=nosuchinterface")
	if err != nil {
		t.Fatal(err)
	}
	_, err = server.Listen(context.Background())
	if !errors.Is(err, alliface.ErrNoAddress) || !strings.Contains(err.Error(), "127.0.0.1: not in include") {
		t.Errorf("the error is %v", err)
	}
}
