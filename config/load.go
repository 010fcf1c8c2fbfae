package config

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
)

// Load reads files in order, as one configuration. A folder stands for its
// *.cfg files. The error is an Errors with everything that is wrong, also with
// what package proxy compiles; then there is no Result. What only package proxy
// finds wrong, proxy.New or proxy.Check tells: see Result.Place.
func Load(files []string, env Env) (*Result, error) {
	env = env.withDefaults()
	p := newTreeParser(&env)
	names := p.expandFolders(files)
	p.env = newEnvironment(&env, names)
	for _, name := range names {
		text, err := env.ReadFile(name)
		if err != nil {
			p.unreadable(name, err)
			continue
		}
		p.parseFile(name, string(text))
	}
	return p.finish()
}

// LoadBytes is Load for a text that is not, or not yet, in a file. name stands
// in messages and for default-path.
func LoadBytes(name string, src []byte, env Env) (*Result, error) {
	env = env.withDefaults()
	p := newTreeParser(&env)
	p.env = newEnvironment(&env, []string{name})
	p.parseFile(name, string(src))
	return p.finish()
}

func newTreeParser(env *Env) *treeParser {
	return &treeParser{world: env, words: language(), tree: &Tree{}}
}

func (p *treeParser) expandFolders(files []string) []string {
	var names []string
	for _, name := range files {
		inside, isDir, err := p.world.ReadDir(name)
		switch {
		case err != nil && !errors.Is(err, fs.ErrNotExist):
			p.unreadable(name, err)
		case isDir:
			names = append(names, inside...)
		default:
			names = append(names, name)
		}
	}
	return names
}

func (p *treeParser) unreadable(name string, err error) {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	p.fileNo++
	p.partial = true
	p.errs = append(p.errs, &Error{File: name, Msg: "can't read the file: " + err.Error(), fileNo: p.fileNo})
}

// finish compiles what was read and puts all messages in order.
func (p *treeParser) finish() (*Result, error) {
	c := &compiler{
		env: p.world, keywords: p.words, out: &Result{Tree: p.tree}, errs: p.errs, notices: p.notices, partial: p.partial,
	}
	c.compile()
	if len(c.errs) > 0 {
		return nil, c.errs.sorted()
	}
	c.out.Process.SetEnv, c.out.Process.UnsetEnv = p.env.changes()
	sortNotices(c.notices)
	c.out.Notices = c.notices
	return c.out, nil
}

// A fileBase turns relative names into ones that can be opened (manual 3.1,
// default-path).
type fileBase struct {
	policy string // "current", "config", "parent" or "origin"
	origin string
	config string // the file that is being compiled
}

func (b *fileBase) enter(config string) { b.config = config }

func (b *fileBase) resolve(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	switch b.policy {
	case "config":
		return filepath.Join(filepath.Dir(b.config), name)
	case "parent":
		return filepath.Join(filepath.Dir(b.config), "..", name)
	case "origin":
		return filepath.Join(b.origin, name)
	}
	return name
}

// reason strips what Go says about a file that the message names anyway.
func reason(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return strings.TrimPrefix(err.Error(), "user: ")
}
