package external_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"
)

const patience = 30 * time.Second

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func TestAConnectionOfAPluginIsTheSocketThatItMade(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err == nil {
			_, _ = io.Copy(c, c)
			c.Close()
		}
	}()
	r := registryOf(t, open(t, "tcp"))
	_, port, _ := net.SplitHostPort(ln.Addr().String())
	client, err := r.NewClient("tcp4:127.0.0.1:" + port)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(within(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("the connection is a %T", conn)
	}
	if tcp.RemoteAddr().String() != ln.Addr().String() {
		t.Errorf("the remote address is %v", tcp.RemoteAddr())
	}
	if _, err := io.WriteString(tcp, "hello"); err != nil {
		t.Fatal(err)
	}
	if err := tcp.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(tcp); err != nil || string(got) != "hello" {
		t.Errorf("got %q, %v", got, err)
	}
}
