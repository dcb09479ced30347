package main

// A style colours text by its meaning, or leaves it alone.
type style struct{ on bool }

func (s style) paint(code, text string) string {
	if !s.on || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s style) good(text string) string    { return s.paint("32", text) }
func (s style) bad(text string) string     { return s.paint("1;31", text) }
func (s style) warning(text string) string { return s.paint("33", text) }
func (s style) strong(text string) string  { return s.paint("1", text) }
func (s style) faint(text string) string   { return s.paint("2", text) }
