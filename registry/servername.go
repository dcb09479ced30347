package registry

// A ServerNamer is a client that knows the host whose certificate is to be expected on its connections. A client that
// dials a host has it; a wrapper that dials through an inner client forwards that one's, by the function [ServerName].
type ServerNamer interface {
	// ServerName is the host that the string names, as it is dialed: a name in ASCII without a dot at its end, or an
	// address without zone as text. It is "" where the string names none.
	ServerName() string
}

// ServerName returns the host whose certificate a wrapper such as TLS has to expect from the client c, "" where c does
// not tell. It is all the same whether c is what a plugin built, or what NewClient returned.
func ServerName(c any) string {
	if n, ok := c.(ServerNamer); ok {
		return n.ServerName()
	}
	return ""
}

// ServerName makes what NewClient returns a ServerNamer.
func (c *client) ServerName() (name string) {
	var err error
	defer c.guard(&err) // a name that can't be told is none
	return ServerName(c.Client)
}
