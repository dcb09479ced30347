// Package terminal asks whether a file is a terminal, and how wide it is.
package terminal

import "os"

// Width returns the number of columns of the terminal that f is. It returns false where f is none, or is one that
// would show escape sequences instead of obeying them. A terminal that does not know its width counts as 80 columns.
func Width(f *os.File) (int, bool) {
	columns, ok := width(f)
	if ok && columns <= 0 {
		columns = 80
	}
	return columns, ok
}
