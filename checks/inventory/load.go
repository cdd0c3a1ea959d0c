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
// concurrent use. It makes certificates on as many goroutines as run at once, all of whose work ends with the call.
type Loader struct {
	seen         map[string]sighting // by ID, or by what it is called; without certificates
	certificates slab[Certificate]
	byID         index[string]

	contents          Contents // without certificates
	registrations     []registration
	events            []ConnectionEvent
	texts             map[string]string // of events, each once
	problems, ignored notes

	ahead ahead
	free  []*segment // to be used again
}

// sighting is where a resource was first, and what it was like. A resource whose name is its content has no value.
type sighting struct {
	at    Origin
	value any
}

// Load reads what the function [Load] does.
func (l *Loader) Load(ctx context.Context, name string) error {
	defer l.settle()
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
	defer l.settle()
	return l.content(ctx, file, r, true)
}

// LoadFS reads what the function [LoadFS] does.
func (l *Loader) LoadFS(ctx context.Context, fsys fs.FS) error {
	defer l.settle()
	return l.folder(ctx, fsys, "")
}

func (l *Loader) folder(ctx context.Context, fsys fs.FS, root string) error {
	return (&folder{Loader: l, fsys: fsys, root: root}).read(ctx)
}

// Loaded returns all that has been read, also by what failed then. It ends the work of the Loader, which must not
// be used any more.
func (l *Loader) Loaded() Loaded {
	l.register()
	c := l.contents
	c.DeviceCertificates, c.CACertificates = l.sortedCertificates()
	if len(l.events) > 0 {
		c.Clients, c.CertificateUses = Connections(l.events)
	}
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

// sortedCertificates returns those of devices and those of CAs, and leaves none.
func (l *Loader) sortedCertificates() (devices, cas []Certificate) {
	all := make([]uint32, 0, l.certificates.len())
	authorities := 0
	for n := range l.certificates.numbers() {
		all = append(all, n)
		if l.certificates.at(n).IsCA {
			authorities++
		}
	}
	byOrigin := func(m, n uint32) int {
		return l.certificates.at(m).Origin.compare(l.certificates.at(n).Origin)
	}
	if !slices.IsSortedFunc(all, byOrigin) { // folders are read in another order
		slices.SortStableFunc(all, byOrigin)
	}
	devices, cas = slices.Grow(devices, len(all)-authorities), slices.Grow(cas, authorities)
	for _, n := range all {
		if c := l.certificates.at(n); c.IsCA {
			cas = append(cas, *c)
		} else {
			devices = append(devices, *c)
		}
	}
	l.certificates = slab[Certificate]{}
	return devices, cas
}

// headSize is how much of a file is looked at to recognise it.
const headSize = 64 << 10

// content reads a file that is open. named says that it is what somebody asked for.
func (l *Loader) content(ctx context.Context, name string, r io.Reader, named bool) error {
	f := &reading{Loader: l, r: r}
	g := l.newSegment(name)
	g.named = named
	f.fill(g, headSize)
	head := g.text[:min(len(g.text), headSize)]
	var err error
	free := true // nobody else has the segment
	switch {
	case len(head) == 0 && f.err == io.EOF:
		l.inTurn().problems.add(Origin{File: name}, "is empty")
	case len(head) == headSize && len(bytes.Trim(head, jsonSpace)) == 0:
		l.inTurn().problems.add(Origin{File: name}, fmt.Sprintf("begins with %d bytes of white space, and is not read", headSize))
	case isDER(head):
		f.der(ctx, g)
		free = false
	case isJSON(head):
		err = l.inTurn().json(ctx, name, f.rest(g))
	case weakkey.LooksLikeBlocklist(head) && !bytes.Contains(head, []byte(begin)):
		err = l.inTurn().blocklist(name, f.rest(g))
	default:
		f.pem(ctx, g)
		free = false
	}
	if free {
		l.freeSegment(g)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		l.problems.unread(Origin{File: name}, unreadEnd(err))
	}
	return nil
}

// inTurn returns l when nothing that was read before is still to come.
func (l *Loader) inTurn() *Loader {
	l.settle()
	l.endFile()
	return l
}

// settle waits for all that has been read.
func (l *Loader) settle() { l.ahead.wait(l.take) }

// endFile ends the notes on what was read before, which may be the same file.
func (l *Loader) endFile() {
	l.problems.endFile()
	l.ignored.endFile()
}

// take takes what is in a segment, which is used again.
func (l *Loader) take(g *segment) {
	l.objects(g)
	l.freeSegment(g)
}

// objects takes the objects of a segment.
func (l *Loader) objects(g *segment) {
	if g.at == 0 {
		l.endFile()
	}
	for i := range g.objects {
		o := &g.objects[i]
		at := Origin{g.file, o.at}
		switch o.kind {
		case objectProblem:
			l.problems.add(at, o.what)
		case objectUnread:
			l.problems.unread(at, o.what)
		case objectIgnored:
			l.ignored.add(at, o.what)
		case objectCertificate:
			l.certificate(&o.certificate, at)
		case objectCRL:
			l.crl(o.crl, at)
		}
	}
	clear(g.objects)
	g.objects = g.objects[:0]
}

// newSegment returns an empty segment of a file.
func (l *Loader) newSegment(file string) *segment {
	last := len(l.free) - 1
	if last < 0 {
		return &segment{file: file, text: make([]byte, 0, segmentSize)}
	}
	g := l.free[last]
	l.free = l.free[:last]
	*g = segment{file: file, text: g.text[:0], objects: g.objects}
	return g
}

func (l *Loader) freeSegment(g *segment) {
	if cap(g.text) <= segmentSize { // the memory for a large CRL is not kept
		l.free = append(l.free, g)
	}
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

func (l *Loader) certificate(c *Certificate, at Origin) {
	if l.second(c.ID, at) {
		return
	}
	if c.ParseError != "" {
		l.problems.add(at, "certificate does not parse: "+c.ParseError)
	}
	n := l.certificates.take()
	held := l.certificates.at(n)
	*held = *c
	held.Origin = at
	l.byID.add(c.ID, n)
}

func (l *Loader) crl(c *CRL, at Origin) {
	if l.second(c.ID, at) || l.again(c.ID, nil, at) {
		return
	}
	c.Origin = at
	if c.Unusable != "" {
		l.problems.add(at, "CRL cannot be used: "+c.Unusable)
	}
	l.contents.CRLs = append(l.contents.CRLs, *c)
}

// certificateOf returns the certificate of an ID, nil if it has not been read.
func (l *Loader) certificateOf(id string) *Certificate {
	if l.byID.byHash == nil {
		l.byID = newIndex[string]()
	}
	if n := l.byID.find(id, func(n uint32) string { return l.certificates.at(n).ID }); n != 0 {
		return l.certificates.at(n)
	}
	return nil
}

// second tells whether a certificate, or a CRL, of an ID has been read before.
func (l *Loader) second(id string, at Origin) bool {
	first, ok := l.seen[id]
	if c := l.certificateOf(id); c != nil {
		first, ok = sighting{at: c.Origin}, true
	}
	if ok {
		l.ignored.add(at, "second copy of "+first.at.String())
	}
	return ok
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
