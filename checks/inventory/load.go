package inventory

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// Loaded is what files held. The resources are in the order of files and offsets.
type Loaded struct {
	Contents
	// Problems are what could not be read. A certificate or CRL that was read and does not parse is
	// among them, and among the resources.
	Problems []Problem
	// Ignored is what was left out on purpose: second copies, private keys, other blocks that belong to
	// no fleet, and in folders plain text. What a private key holds is not repeated.
	Ignored []Problem
}

// Load reads the certificates and CRLs of a file, or of a folder and all that is below it, as [LoadFS]
// does. Origins have name in front. A file that name itself leads to may be a named pipe, for whose writer
// Load waits whatever becomes of ctx, and must not be plain text. It fails when nothing has that name, or
// ctx ends.
func Load(ctx context.Context, name string) (Loaded, error) {
	info, err := os.Stat(name)
	if err != nil {
		return Loaded{}, err
	}
	if info.IsDir() {
		return newLoader(os.DirFS(name), name).folder(ctx)
	}
	if info.Mode()&(fs.ModeType&^fs.ModeNamedPipe) != 0 {
		return problem(ctx, name, "is no regular file")
	}
	// An fs.FS takes no name that is not UTF-8.
	f, err := os.Open(name)
	if err != nil {
		return problem(ctx, name, "cannot be read: "+cause(err))
	}
	defer f.Close()
	return LoadReader(ctx, f, filepath.Clean(name))
}

// LoadReader reads the certificates and CRLs of r to its end, as [LoadFS] reads a file. Origins have the
// name of file. That r is plain text is a Problem. The error is that of ctx alone.
func LoadReader(ctx context.Context, r io.Reader, file string) (Loaded, error) {
	l := newLoader(nil, "")
	l.named = true
	if err := l.read(ctx, file, r); err != nil {
		return Loaded{}, err
	}
	return l.result(), nil
}

// problem is what there is of a file that cannot be read.
func problem(ctx context.Context, name, what string) (Loaded, error) {
	if ctx.Err() != nil {
		return Loaded{}, context.Cause(ctx)
	}
	return Loaded{Problems: []Problem{{Origin{File: filepath.Clean(name)}, what}}}, nil
}

// LoadFS reads the certificates and CRLs of all files of fsys, whatever their names.
//
// A file is PEM or DER by its content. PEM may have text and other blocks between; blocks of type
// CERTIFICATE, X509 CERTIFICATE, TRUSTED CERTIFICATE (of which the trust settings are passed over) and
// X509 CRL are read. DER objects may stand one after another. Symbolic links are followed after everything
// else; one that leads to a folder that has been read is passed over.
//
// Certificates are ACTIVE. Those whose basic constraints say so are CA certificates, and version 1
// certificates that are self-issued; the others are device certificates, also those that do not parse.
// The same DER twice is one resource. One bad thing never stops the rest: it is a Problem, of which a
// file has at most a thousand. A file of plain text without any block is no bad thing, and Ignored: folders
// have their READMEs. The error is that of ctx alone.
func LoadFS(ctx context.Context, fsys fs.FS) (Loaded, error) {
	return newLoader(fsys, "").folder(ctx)
}

// loader is one Load. Its methods fail only when their context ends.
type loader struct {
	fsys    fs.FS
	root    string // stands in front of names
	named   bool   // the one file that is read is what somebody asked for
	visited []fs.FileInfo
	links   []string
	seen    map[string]Origin // by ID: where each resource was first

	contents          Contents
	problems, ignored notes
}

func newLoader(fsys fs.FS, root string) *loader {
	return &loader{fsys: fsys, root: root, seen: make(map[string]Origin)}
}

func (l *loader) result() Loaded {
	c := l.contents
	slices.SortStableFunc(c.DeviceCertificates, func(a, b Certificate) int { return a.Origin.compare(b.Origin) })
	slices.SortStableFunc(c.CACertificates, func(a, b Certificate) int { return a.Origin.compare(b.Origin) })
	slices.SortStableFunc(c.CRLs, func(a, b CRL) int { return a.Origin.compare(b.Origin) })
	return Loaded{c, l.problems.sorted(), l.ignored.sorted()}
}

// folder loads everything. Links come last, so that what they lead to goes by its own name.
func (l *loader) folder(ctx context.Context) (Loaded, error) {
	if err := l.walk(ctx, "."); err != nil {
		return Loaded{}, err
	}
	for len(l.links) > 0 {
		name := l.links[0]
		l.links = l.links[1:]
		if err := l.entry(ctx, name); err != nil {
			return Loaded{}, err
		}
	}
	return l.result(), nil
}

func (l *loader) walk(ctx context.Context, root string) error {
	return fs.WalkDir(l.fsys, root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			l.unread(name, err)
		case d.IsDir():
			if info, err := fs.Stat(l.fsys, name); err == nil {
				l.visited = append(l.visited, info)
			}
		case d.Type()&fs.ModeSymlink != 0:
			l.links = append(l.links, name)
		default:
			return l.entry(ctx, name)
		}
		return nil
	})
}

// entry reads a file, or what a link leads to.
func (l *loader) entry(ctx context.Context, name string) error {
	info, err := fs.Stat(l.fsys, name)
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		l.unread(name, err)
	case info.Mode().IsRegular():
		return l.file(ctx, name)
	case !info.IsDir():
		l.problems.add(l.at(name, 0), "is no regular file")
	// Where folders have no identity there is no operating system either: what the link leads to lies
	// in fsys, and is reached by its own name.
	case os.SameFile(info, info) &&
		!slices.ContainsFunc(l.visited, func(v fs.FileInfo) bool { return os.SameFile(v, info) }):
		return l.walk(ctx, name)
	}
	return nil
}

func (l *loader) file(ctx context.Context, name string) error {
	f, err := l.fsys.Open(name)
	if err != nil {
		l.unread(name, err)
		return nil
	}
	defer f.Close()
	return l.read(ctx, name, f)
}

// read reads a file that is open.
func (l *loader) read(ctx context.Context, name string, f io.Reader) error {
	r := bufio.NewReaderSize(f, 64<<10)
	head, err := r.Peek(longestShort)
	switch {
	case len(head) == 0 && err == io.EOF:
		l.problems.add(l.at(name, 0), "is empty")
		return nil
	case isDER(head):
		err = l.der(ctx, name, r)
	default:
		err = l.pem(ctx, name, r)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		l.problems.add(l.at(name, 0), "cannot be read to its end: "+cause(err))
	}
	return nil
}

func (l *loader) der(ctx context.Context, name string, r *bufio.Reader) error {
	for o, err := range derObjects(r) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		at := l.at(name, o.at)
		if o.problem != "" {
			l.problems.add(at, o.problem)
			continue
		}
		switch shapeOf(o.der) {
		case shapeCertificate:
			l.certificate(o.der, at)
		case shapeCRL:
			l.crl(o.der, at)
		case shapePrivateKey:
			l.ignored.add(at, "private key")
		default:
			l.problems.add(at, "DER object that is neither a certificate nor a CRL")
		}
	}
	return nil
}

// strangers are labels of PEM blocks that often stand beside certificates.
var strangers = []string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST", "PUBLIC KEY", "RSA PUBLIC KEY",
	"EC PARAMETERS", "DSA PARAMETERS", "DH PARAMETERS", "X9.42 DH PARAMETERS"}

func (l *loader) pem(ctx context.Context, name string, r io.Reader) error {
	for b, err := range pemBlocks(r) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		at := l.at(name, b.at)
		switch {
		case b.text && !l.named:
			l.ignored.add(at, "plain text without any PEM block")
		case b.problem != "":
			l.problems.add(at, b.problem)
		case b.label == "X509 CRL":
			l.crl(b.der, at)
		case b.label == "TRUSTED CERTIFICATE":
			if n, ok := derSize(b.der); ok && n < int64(len(b.der)) {
				b.der = b.der[:n:n]
			}
			l.certificate(b.der, at)
		case b.der != nil:
			l.certificate(b.der, at)
		case strings.HasSuffix(b.label, "PRIVATE KEY"):
			l.ignored.add(at, "private key")
		case slices.Contains(strangers, b.label):
			l.ignored.add(at, strings.ToLower(b.label))
		default:
			l.problems.add(at, fmt.Sprintf("PEM block of type %.40q is not read", b.label))
		}
	}
	return nil
}

func (l *loader) certificate(der []byte, at Origin) {
	c := NewCertificate(der, CertificateStatusActive)
	c.Origin = at
	if l.again(c.ID, at) {
		return
	}
	if c.ParseError != "" {
		l.problems.add(at, "certificate does not parse: "+c.ParseError)
	}
	if c.IsCA {
		l.contents.CACertificates = append(l.contents.CACertificates, c)
	} else {
		l.contents.DeviceCertificates = append(l.contents.DeviceCertificates, c)
	}
}

func (l *loader) crl(der []byte, at Origin) {
	c := NewCRL(der)
	c.Origin = at
	if l.again(c.ID, at) {
		return
	}
	if c.Unusable != "" {
		l.problems.add(at, "CRL cannot be used: "+c.Unusable)
	}
	l.contents.CRLs = append(l.contents.CRLs, c)
}

// again tells whether a resource has been read before.
func (l *loader) again(id string, at Origin) bool {
	first, ok := l.seen[id]
	if ok {
		l.ignored.add(at, "second copy of "+first.String())
		return true
	}
	l.seen[id] = at
	return false
}

// unread says why a file or folder cannot be read.
func (l *loader) unread(name string, err error) {
	why := cause(err)
	if !utf8.ValidString(name) {
		why = "the name is not UTF-8, so that it must be asked for by itself"
	}
	l.problems.add(l.at(name, 0), "cannot be read: "+why)
}

func (l *loader) at(name string, offset int64) Origin {
	if l.root != "" {
		name = filepath.Join(l.root, filepath.FromSlash(name))
	}
	return Origin{name, offset}
}

// cause is what went wrong, without the name of the file.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}
