package certs

import (
	"crypto/x509"
	"runtime"
	"time"

	"github.com/fsnotify/fsnotify"
)

// platform is what the system gives; tests give something else.
type platform struct {
	newWatcher func() (*fsnotify.Watcher, error)
	roots      func() (*x509.CertPool, error)
	modes      bool          // permission bits of files mean something
	relook     time.Duration // how often a watch looks at files without being told to
}

func system() platform {
	return platform{
		newWatcher: fsnotify.NewWatcher,
		roots:      x509.SystemCertPool,
		modes:      runtime.GOOS != "windows",
		relook:     relook,
	}
}
