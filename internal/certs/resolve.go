package certs

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/fsnotify/fsnotify"
)

// maxLinks is how many symbolic links a path may lead through, as in Linux (path_resolution(7)).
const maxLinks = 40

// places are the directories in which a change shows, each with the names that count there; all names count in a
// directory that has allNames.
type places map[string]map[string]bool

const allNames = "*"

func (p places) add(dir, name string) {
	if p[dir] == nil {
		p[dir] = map[string]bool{}
	}
	p[dir][name] = true
}

// covers reports whether an event is about a change that counts. Of a directory that has allNames these are the changes
// of PEM files, and the coming and going of anything: of directories and links too.
func (p places) covers(event fsnotify.Event) bool {
	if _, itself := p[event.Name]; itself {
		return true
	}
	names, name := p[filepath.Dir(event.Name)], filepath.Base(event.Name)
	return names[name] || names[allNames] && (isPEMName(name) || event.Op&(fsnotify.Create|fsnotify.Remove|fsnotify.Rename) != 0)
}

// follow adds the directory of path and those of all symbolic links on the way to it, so that the swap of any of them
// shows: certbot's live/NAME/cert.pem -> ../../archive/NAME/cert1.pem, Kubernetes' tls.crt -> ..data/tls.crt with
// ..data -> ..2026_11_24. Where something on the way is missing, it adds the directory that it is missing from. It
// returns what path leads to.
func (p places) follow(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return path
	}
	volume := filepath.VolumeName(abs)
	top := volume + string(filepath.Separator)
	at, rest := top, strings.TrimPrefix(abs, top)
	for links := 0; rest != ""; {
		var step string
		step, rest, _ = strings.Cut(rest, string(filepath.Separator))
		switch step {
		case "", ".":
			continue
		case "..":
			at = filepath.Dir(at)
			continue
		}
		here := filepath.Join(at, step)
		info, err := os.Lstat(here)
		if err != nil {
			p.add(at, step)
			return here
		}
		if info.Mode()&os.ModeSymlink == 0 {
			at = here
			continue
		}
		p.add(at, step)
		target, err := os.Readlink(here)
		if links++; err != nil || links > maxLinks {
			return here
		}
		if filepath.IsAbs(target) {
			at = filepath.VolumeName(target) + string(filepath.Separator)
			target = strings.TrimPrefix(target, at)
		}
		rest = filepath.FromSlash(target) + string(filepath.Separator) + rest
	}
	return at
}

// followFile adds what follow adds, and the directory of the file itself.
func (p places) followFile(path string) {
	end := p.follow(path)
	p.add(filepath.Dir(end), filepath.Base(end))
}

// places returns where changes of the store's files show.
func (s *Store) places() places {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := places{}
	for _, f := range s.files {
		for _, path := range f.paths() {
			p.followFile(path)
		}
	}
	if s.dir == "" {
		return p
	}
	if dir := p.follow(s.dir); isDir(dir) {
		p.add(dir, allNames)
	}
	for path := range s.cache.folders {
		if dir := p.follow(path); isDir(dir) {
			p.add(dir, allNames)
		}
	}
	for path := range s.cache.files {
		p.followFile(path)
	}
	return p
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
