package rival

import (
	"net"
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

// brokerPlugin uses the broker of go-plugin's net/rpc: yamux over the one connection that the processes have. (The
// broker of its gRPC gives no connections to who dials, only clients of gRPC.)
type brokerPlugin struct{}

func (brokerPlugin) Server(b *plugin.MuxBroker) (any, error) { return &Relay{b}, nil }

func (brokerPlugin) Client(b *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return brokerDialer{b, c}, nil
}

// Relay is what net/rpc serves.
type Relay struct{ broker *plugin.MuxBroker }

// Dial connects, and tells the number by which the broker has the connection.
func (r *Relay) Dial(request Request, id *uint32) error {
	conn, err := request.dial()
	if err != nil {
		return err
	}
	number := r.broker.NextId()
	*id = number
	go func() {
		host, err := r.broker.Accept(number)
		if err != nil {
			_ = conn.Close()
			return
		}
		relay(host, conn)
	}()
	return nil
}

type brokerDialer struct {
	broker *plugin.MuxBroker
	client *rpc.Client
}

func (d brokerDialer) Dial(address string, turned bool) (net.Conn, error) {
	var id uint32
	if err := d.client.Call("Plugin.Dial", Request{address, turned}, &id); err != nil {
		return nil, err
	}
	return d.broker.Dial(id)
}
