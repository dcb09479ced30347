package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/epctl/endpoint/grammar"
	"github.com/epctl/endpoint/internal/netif"
	"github.com/epctl/endpoint/plugins/multicast"
	"github.com/epctl/endpoint/registry"
)

// unheardAfter is how long to send to a group of which nothing is likely to come back.
const unheardAfter = time.Second

// groups tries each membership of a multicast socket: what a client sends to the group by the membership's interface
// comes back through the loop.
func (t *trial) groups(ctx context.Context, a *app, s string, layer *registry.Layer, conn *multicast.Conn) error {
	joined := conn.Groups()
	if len(joined) == 0 {
		return errors.New("no group is joined: no interface is up that takes part in multicast")
	}
	var failures []error
	for _, m := range joined {
		failures = append(failures, t.group(ctx, a, s, layer, conn, m))
	}
	return errors.Join(failures...)
}

func (t *trial) group(ctx context.Context, a *app, s string, layer *registry.Layer, server *multicast.Conn, m multicast.Membership) error {
	to := groupAddr(m, server)
	client, err := newDeriver(a.registry, s, to).member(layer, m)
	if err != nil {
		at := &attempt{Listening: to.String(), Options: tryOptions{Listener: settingsOf(server)}}
		t.Tries = append(t.Tries, at)
		return at.fail(err)
	}
	at := t.attempt(client, a)
	at.Listening, at.Options.Listener = to.String(), settingsOf(server)
	conn, err := at.dial(ctx, a, client, registry.RolePacketClient)
	if err != nil {
		return err
	}
	defer conn.Close()
	at.Options.Client = settingsOf(conn)
	obstacle := obstacleOf(layer, m)
	if obstacle != "" {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, unheardAfter, errUnheard)
		defer cancel()
	}
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	heard := &hearing{PacketConn: server, port: udpPort(conn.LocalAddr())}
	err = at.datagrams(ctx, conn, heard)
	at.Heard = heard.list()
	return at.fail(explainUnheard(err, obstacle, to, m))
}

var errUnheard = errors.New("nothing was heard")

// groupAddr is where to send, with the membership's interface as the zone where the group needs one.
func groupAddr(m multicast.Membership, conn net.PacketConn) *net.UDPAddr {
	group := m.Group
	if group.Is6() {
		group = group.WithZone(m.Interface)
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(group, udpPort(conn.LocalAddr())))
}

func udpPort(a net.Addr) uint16 {
	if a, ok := a.(*net.UDPAddr); ok {
		return a.AddrPort().Port()
	}
	return 0
}

// member is the client for one membership: what the server was given, but for the one group, sender and interface.
func (d *deriver) member(layer *registry.Layer, m multicast.Membership) (string, error) {
	out, err := d.description(layer, layer.Plugin, registry.RolePacketClient)
	if err != nil {
		return "", err
	}
	out.Fields = slices.DeleteFunc(out.Fields, func(f grammar.Field) bool {
		return f.Keyed && slices.Contains([]string{"group", "source", "interface", "outInterface"}, f.Key)
	})
	add := func(key, value string) {
		out.Fields = append(out.Fields, grammar.Field{Key: key, Value: value, Keyed: true})
	}
	add("group", m.Group.String())
	add("interface", m.Interface)
	if m.Source.IsValid() {
		add("source", m.Source.String())
	}
	if _, _, err := d.registry.Build(out.String(), registry.RolePacketClient); err != nil {
		return "", fmt.Errorf("the client for %s could not be made out: %w", m.Group, err)
	}
	return out.Text(grammar.Brackets), nil
}

// obstacleOf says why this host may not hear itself; empty where it should.
func obstacleOf(layer *registry.Layer, m multicast.Membership) string {
	for _, arg := range layer.Args {
		if arg.Param.Name == "loop" && arg.Shown() == "no" {
			return "with loop=no this host does not hear its own datagrams"
		}
	}
	now, err := netif.Interfaces(context.Background())
	if err != nil || !m.Source.IsValid() {
		return ""
	}
	if _, _, ours := now.ByAddr(m.Source); !ours {
		return "only " + m.Source.String() + " is heard, which is no address of this host"
	}
	return ""
}

// explainUnheard says what an error that a socket gives means for a group.
func explainUnheard(err error, obstacle string, to *net.UDPAddr, m multicast.Membership) error {
	switch {
	case err == nil:
		return nil
	case obstacle != "":
		return fmt.Errorf("%s is joined on %s, but %s: another one has to send (%w)", m.Group, m.Interface, obstacle, err)
	case errors.Is(err, syscall.ENETUNREACH) && m.Group.Is6() && isLoopback(m.Interface):
		return fmt.Errorf("%s is joined on %s, but nothing can be sent to it there: the system has no route for IPv6 multicast on the loopback interface (%w)",
			m.Group, m.Interface, err)
	case errors.Is(err, errUnheard), errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("what was sent to %s was not heard: %w", to, err)
	}
	return err
}

func isLoopback(name string) bool {
	i, err := net.InterfaceByName(name)
	return err == nil && i.Flags&net.FlagLoopback != 0
}

// A hearing is a multicast socket that notes where it heard the sender at a port of this host.
type hearing struct {
	net.PacketConn
	port uint16

	mu    sync.Mutex
	heard []string
}

func (h *hearing) ReadFrom(p []byte) (int, net.Addr, error) {
	n, from, err := h.PacketConn.ReadFrom(p)
	if addr, ok := from.(*multicast.Addr); ok && addr.Port() == h.port {
		h.note(addr)
	}
	return n, from, err
}

func (h *hearing) note(addr *multicast.Addr) {
	device := "interface " + strconv.Itoa(addr.Interface)
	if i, err := net.InterfaceByIndex(addr.Interface); err == nil {
		device = i.Name
	}
	text := addr.Local.String() + " on " + device + ", from " + addr.String()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.heard, text) {
		h.heard = append(h.heard, text)
	}
}

func (h *hearing) list() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heard
}
