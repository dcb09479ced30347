// Package netif is the one place that turns a zone into an interface index and back, lists the interfaces of the
// machine with their addresses and the flags that package net hides, and watches them.
package netif
