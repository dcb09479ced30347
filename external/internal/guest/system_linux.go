package guest

import (
	"os"
	"os/signal"
	"syscall"
)

// endWithHost has this process ended with the one that has started it, and all that it has started itself as well: the
// system sends the signal when the host is gone.
func endWithHost() {
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	go func() {
		<-terminate
		vanish()
	}()
}
