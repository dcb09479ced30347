package netif_test

import (
	"context"
	"fmt"

	"github.com/epctl/endpoint/internal/netif"
)

// A consumer makes what it holds agree with the first snapshot, and then follows the changes.
func Example() {
	w, err := netif.Watch(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = w.Close() }()
	var last netif.Snapshot
	for ok := true; ok; _, ok = <-w.Changes() {
		now := w.Snapshot()
		for _, change := range netif.Diff(last, now) {
			fmt.Println(change)
		}
		last = now
	}
}
