package registrytest

import "time"

// Patience makes the suite call a shorter wait a hang.
func Patience(d time.Duration) Option { return func(s *suite) { s.patience = d } }
