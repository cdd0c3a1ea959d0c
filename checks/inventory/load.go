package inventory

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks/weakkey"
)

// Loaded is what files held. The resources are in the order of files and offsets, but for those that [Connections]
// makes of events.
type Loaded struct {
	Contents
	// Problems are what could not be read. A certificate, CRL or policy that was read and does not parse is
	// among them, and among the resources.
	Problems []Problem
	// Ignored is what was left out on purpose: second copies, private keys, other blocks that belong to
	// no fleet, and in folders plain text. What a private key holds is not repeated.
	Ignored []Problem
}

// Load reads a file, or a folder and all that is below it, as [LoadFS] does. Origins have name in front. A
// file that name itself leads to may be a named pipe, for whose writer Load waits whatever becomes of ctx, and
// must not be plain text. It fails when nothing has that name, or ctx ends.
func Load(ctx context.Context, name string) (Loaded, error) {
	l := new(Loader)
	if err := l.Load(ctx, name); err != nil {
		return Loaded{}, err
	}
	return l.Loaded(), nil
}

// LoadReader reads r to its end, as [LoadFS] reads a file. Origins have the name of file, and so has a policy
// document. That r is plain text is a Problem. The error is that of ctx alone.
func LoadReader(ctx context.Context, r io.Reader, file string) (Loaded, error) {
	l := new(Loader)
	if err := l.LoadReader(ctx, r, file); err != nil {
		return Loaded{}, err
	}
	return l.Loaded(), nil
}

// LoadFS reads all files of fsys, whatever their names, in the forms that the package's comment describes:
// certificates and CRLs in PEM and DER, everything else in JSON, and lists of weak keys.
//
// Symbolic links are followed after everything else; one that leads to a folder that has been read is passed
// over. One bad thing never stops the rest: it is a Problem, of which a file has at most a thousand. A file of
// plain text that is none of the forms is no bad thing, and Ignored: folders have their READMEs. The error is
// that of ctx alone.
func LoadFS(ctx context.Context, fsys fs.FS) (Loaded, error) {
	l := new(Loader)
	if err := l.LoadFS(ctx, fsys); err != nil {
		return Loaded{}, err
	}
	return l.Loaded(), nil
}

// Loader reads several files and folders as one fleet: a resource that is in two of them is there once, and what one
// says about a certificate in another is put together. Its zero value has read nothing. It is not safe for
// concurrent use.
type Loader struct {
	seen map[string]sighting // by ID, or by what it is called

	contents          Contents
	registrations     []registration
	events            []ConnectionEvent
	texts             map[string]string // of events, each once
	problems, ignored notes
}

// sighting is where a resource was first, and what it was like. A resource whose name is its content has no value.
type sighting struct {
	at    Origin
	value any
}

// Load reads what the function [Load] does.
func (l *Loader) Load(ctx context.Context, name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return l.folder(ctx, os.DirFS(name), name)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	at := Origin{File: filepath.Clean(name)}
	if info.Mode()&(fs.ModeType&^fs.ModeNamedPipe) != 0 {
		l.problems.add(at, "is no regular file")
		return nil
	}
	// An fs.FS takes no name that is not UTF-8.
	f, err := os.Open(name)
	if err != nil {
		l.problems.unread(at, "cannot be read: "+cause(err))
		return nil
	}
	defer f.Close()
	return l.LoadReader(ctx, f, at.File)
}

// LoadReader reads what the function [LoadReader] does.
func (l *Loader) LoadReader(ctx context.Context, r io.Reader, file string) error {
	return l.content(ctx, file, r, true)
}

// LoadFS reads what the function [LoadFS] does.
func (l *Loader) LoadFS(ctx context.Context, fsys fs.FS) error { return l.folder(ctx, fsys, "") }

func (l *Loader) folder(ctx context.Context, fsys fs.FS, root string) error {
	return (&folder{Loader: l, fsys: fsys, root: root}).read(ctx)
}

// Loaded returns all that has been read, also by what failed then. It ends the work of the Loader, which must not
// be used any more.
func (l *Loader) Loaded() Loaded {
	l.register()
	c := l.contents
	if len(l.events) > 0 {
		c.Clients, c.CertificateUses = Connections(l.events)
	}
	inOrder(c.DeviceCertificates, func(c *Certificate) Origin { return c.Origin })
	inOrder(c.CACertificates, func(c *Certificate) Origin { return c.Origin })
	inOrder(c.CRLs, func(c *CRL) Origin { return c.Origin })
	inOrder(c.PolicyVersions, func(v *PolicyVersion) Origin { return v.Origin })
	inOrder(c.IdentityPools, func(p *IdentityPool) Origin { return p.Origin })
	inOrder(c.RoleAliases, func(a *RoleAlias) Origin { return a.Origin })
	inOrder(c.Accounts, func(a *AccountSettings) Origin { return a.Origin })
	return Loaded{c, l.problems.sorted(), l.ignored.sorted()}
}

func inOrder[T any](list []T, origin func(*T) Origin) {
	slices.SortStableFunc(list, func(a, b T) int { return origin(&a).compare(origin(&b)) })
}

// headSize is how much of a file is looked at to recognise it.
const headSize = 64 << 10

// content reads a file that is open. named says that it is what somebody asked for.
func (l *Loader) content(ctx context.Context, name string, f io.Reader, named bool) error {
	l.problems.endFile() // of what was read before, which may be the same file
	l.ignored.endFile()
	r := bufio.NewReaderSize(f, headSize)
	head, err := r.Peek(headSize)
	switch {
	case len(head) == 0 && err == io.EOF:
		l.problems.add(Origin{File: name}, "is empty")
		return nil
	case len(head) == headSize && len(bytes.Trim(head, jsonSpace)) == 0:
		l.problems.add(Origin{File: name}, fmt.Sprintf("begins with %d bytes of white space, and is not read", headSize))
		return nil
	case isDER(head):
		err = l.der(ctx, name, r)
	case isJSON(head):
		err = l.json(ctx, name, r)
	case weakkey.LooksLikeBlocklist(head) && !bytes.Contains(head, []byte(begin)):
		err = l.blocklist(name, r)
	default:
		err = l.pem(ctx, name, r, named)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		l.problems.unread(Origin{File: name}, "cannot be read to its end: "+cause(err))
	}
	return nil
}

func (l *Loader) der(ctx context.Context, name string, r *bufio.Reader) error {
	for o, err := range derObjects(r) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		at := Origin{name, o.at}
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

func (l *Loader) pem(ctx context.Context, name string, r io.Reader, named bool) error {
	for b, err := range pemBlocks(r) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		at := Origin{name, b.at}
		switch {
		case b.text && !named:
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

func (l *Loader) json(ctx context.Context, name string, r *bufio.Reader) error {
	for o, err := range jsonObjects(r) {
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		at := Origin{name, o.at}
		switch {
		case o.problem != "":
			l.problems.add(at, o.problem)
		case o.form == formEvent:
			l.connectionEvent(o.data, at)
		case o.form == formPolicy:
			l.policyFile(o.data, at)
		case o.form == formFleet:
			l.fleetObject(o.data, at)
		default:
			l.otherObject(o.data, at)
		}
	}
	return nil
}

func (l *Loader) blocklist(name string, r io.Reader) error {
	list, err := weakkey.ReadBlocklist(r)
	if err != nil {
		l.problems.add(Origin{File: name}, err.Error())
		return nil
	}
	l.contents.WeakKeys = weakkey.Merge(l.contents.WeakKeys, list)
	return nil
}

func (l *Loader) certificate(der []byte, at Origin) {
	c := NewCertificate(der, CertificateStatusActive)
	c.Origin = at
	if l.again(c.ID, nil, at) {
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

func (l *Loader) crl(der []byte, at Origin) {
	c := NewCRL(der)
	c.Origin = at
	if l.again(c.ID, nil, at) {
		return
	}
	if c.Unusable != "" {
		l.problems.add(at, "CRL cannot be used: "+c.Unusable)
	}
	l.contents.CRLs = append(l.contents.CRLs, c)
}

// again tells whether a resource has been read before. name is unique among all resources. It tells too if the
// two are not the same.
func (l *Loader) again(name string, value any, at Origin) bool {
	first, ok := l.seen[name]
	switch {
	case !ok:
		if l.seen == nil {
			l.seen = make(map[string]sighting)
		}
		l.seen[name] = sighting{at, value}
	case reflect.DeepEqual(first.value, value):
		l.ignored.add(at, "second copy of "+first.at.String())
	default:
		l.problems.add(at, fmt.Sprintf("%s is not what %v says, which counts", name, first.at))
	}
	return ok
}

// cause is what went wrong, without the name of the file.
func cause(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return err.Error()
}
