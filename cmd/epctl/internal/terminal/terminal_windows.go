package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// width also asks the console to obey escape sequences, which it does since Windows 10.
func width(f *os.File) (columns int, ok bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		h := windows.Handle(fd)
		var mode uint32
		var info windows.ConsoleScreenBufferInfo
		if windows.GetConsoleMode(h, &mode) != nil || windows.GetConsoleScreenBufferInfo(h, &info) != nil {
			return
		}
		columns = int(info.Window.Right-info.Window.Left) + 1
		ok = windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
	})
	return columns, ok && err == nil
}
