// Package udpsock binds and connects UDP sockets for the plugins whose datagrams are unicast, and hands out plain
// *net.UDPConn.
//
// It adds to package net what that leaves out or gets wrong: one family means one family, a zone is looked up when it
// is used and stays in the addresses under the name that was given, a socket has the options of package sockopt, and a
// connected one may have a flow label and cut what is written into many datagrams.
package udpsock
