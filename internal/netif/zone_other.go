//go:build !linux

package netif

import "net"

// Package net's InterfaceByName and InterfaceByIndex ask the system at each call; only its reading and writing of
// addresses goes through the cache.

func lookupZone(zone string) (int, error) {
	// package net tells a missing interface from other failures only by an unexported error, so any is a missing one.
	if i, err := net.InterfaceByName(zone); err == nil {
		return i.Index, nil
	}
	index, ok := decimalIndex(zone)
	if !ok {
		return 0, ErrNoInterface
	}
	if _, err := lookupIndex(index); err != nil {
		return 0, err
	}
	return index, nil
}

func lookupIndex(index int) (string, error) {
	i, err := net.InterfaceByIndex(index)
	if err != nil {
		return "", ErrNoInterface
	}
	return i.Name, nil
}
