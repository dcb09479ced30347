package packetinfo_test

import (
	"bytes"
	"errors"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/epctl/endpoint/internal/packetinfo"
	"golang.org/x/sys/unix"
)

// segmented connects to c, and each of its writes is datagrams of size bytes.
func segmented(tb testing.TB, c *packetinfo.Conn, size int) *net.UDPConn {
	tb.Helper()
	client, err := connect("udp", addrOf(c).String())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = client.Close() })
	raw, err := client.SyscallConn()
	if err != nil {
		tb.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_UDP, unix.UDP_SEGMENT, size) })
	if err != nil {
		tb.Fatal(err)
	}
	return client
}

func TestDatagramsThatComeTogetherAreReadOneByOne(t *testing.T) {
	for name, o := range map[string]packetinfo.Options{"gro": {GRO: true}, "gro and info": {Info: true, GRO: true}, "info": tellInfo} {
		for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
			server := listen(t, address, o)
			client := segmented(t, server, 100)
			for _, size := range []int{1050, 1, 100, 101, 200, 0, 6400} {
				sent := bytes.Repeat([]byte("abcdefghij"), size/10+1)[:size]
				if _, err := client.Write(sent); err != nil {
					t.Fatal(err)
				}
				if got := readAll(t, server, client, size, 100); !bytes.Equal(got, sent) {
					t.Errorf("%s, %s: %d bytes arrive as %d", name, address, size, len(got))
				}
			}
		}
	}
}

// readAll reads size bytes in datagrams of segment bytes, of which the last may be shorter.
func readAll(t *testing.T, server *packetinfo.Conn, client *net.UDPConn, size, segment int) (got []byte) {
	buf := make([]byte, 2*segment)
	for {
		n, heard, err := server.Read(buf)
		if want := min(segment, size-len(got)); err != nil || n != want {
			t.Fatalf("read %d bytes, %v; want %d", n, err, want)
		}
		if heard.Peer.String() != client.LocalAddr().String() {
			t.Errorf("heard %v", heard.Peer)
		}
		if got = append(got, buf[:n]...); len(got) == size {
			return got
		}
	}
}

func TestWhatIsLeftOfManyIsLostWithClose(t *testing.T) {
	server := listen(t, "127.0.0.1:0", packetinfo.Options{GRO: true})
	if _, err := segmented(t, server, 10).Write(make([]byte, 30)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := server.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	_ = server.Close()
	if _, _, err := server.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
}

func TestReadsThatWaitEndWithClose(t *testing.T) {
	for _, o := range []packetinfo.Options{tellInfo, {GRO: true}} {
		server := listen(t, "127.0.0.1:0", o)
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				if _, _, err := server.Read(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
					t.Errorf("%+v: %v", o, err)
				}
			})
		}
		_ = server.Close()
		readers.Wait()
	}
}

func TestManyReadersAndWritersShareASocket(t *testing.T) {
	for _, o := range []packetinfo.Options{tellInfo, {GRO: true}} {
		server, client := listen(t, "[::1]:0", o), listen(t, "[::1]:0", o)
		const each, writers = 50, 4
		var all sync.WaitGroup
		for range writers {
			all.Go(func() {
				for range each {
					if _, err := client.Write([]byte("word"), packetinfo.Info{Peer: addrOf(server)}); err != nil {
						t.Error(err)
					}
					if n, _, err := server.Read(make([]byte, 10)); n != 4 || err != nil {
						t.Errorf("read %d bytes, %v", n, err)
					}
				}
			})
		}
		all.Wait()
	}
}

// What is left of many is not read after the deadline, as if it were in the socket, and comes when there is time again.
func TestADeadlineEndsAReadOfMany(t *testing.T) {
	server := listen(t, "127.0.0.1:0", packetinfo.Options{GRO: true})
	client := segmented(t, server, 10)
	if _, err := client.Write(make([]byte, 25)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{10, -1, 10, -1, 5, -1} {
		deadline := time.Now().Add(patience)
		if want < 0 {
			deadline = time.Unix(1, 0)
		}
		_ = server.UDP().SetReadDeadline(deadline)
		n, _, err := server.Read(make([]byte, 20))
		if want < 0 && !errors.Is(err, os.ErrDeadlineExceeded) || want >= 0 && (n != want || err != nil) {
			t.Errorf("read %d bytes, %v; want %d", n, err, want)
		}
	}
}
