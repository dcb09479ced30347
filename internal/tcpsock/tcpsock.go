// Package tcpsock listens on and connects TCP sockets for the plugins tcp, tcp4 and tcp6, and hands out plain
// *net.TCPListener and *net.TCPConn.
//
// It adds to package net what that leaves out or gets wrong: one family means one family, the backlog reaches
// listen(2), a zone is looked up when it is used and stays in the addresses under the name that was given, a socket
// has the options of package sockopt, and a connection may have a flow label.
package tcpsock
