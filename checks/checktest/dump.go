package checktest

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
)

// dump writes down everything that can be reached from p, a pointer, in a form that is the same exactly
// as long as nothing of it changes. Functions and channels are what they point to. A struct that has a
// lock or the like looks after its unexported fields itself: they may hold what was computed once.
func dump(p any) string {
	var d dumper
	d.value(reflect.ValueOf(p))
	return d.String()
}

type dumper struct {
	strings.Builder
	path []reference // from the root
}

// reference is where a pointer, map or slice leads.
type reference struct {
	of reflect.Type
	to uintptr
	n  int
}

func (d *dumper) value(v reflect.Value) {
	switch v.Kind() {
	case reflect.Invalid:
		d.WriteString("nil;")
	case reflect.Bool:
		fmt.Fprintf(d, "%t;", v.Bool())
	case reflect.String:
		fmt.Fprintf(d, "%q;", v.String())
	case reflect.Float32, reflect.Float64:
		fmt.Fprintf(d, "%x;", math.Float64bits(v.Float()))
	case reflect.Complex64, reflect.Complex128:
		fmt.Fprintf(d, "%x;", v.Complex())
	case reflect.Struct:
		d.structure(v)
	case reflect.Array:
		d.elements(v)
	case reflect.Interface:
		if !v.IsNil() {
			fmt.Fprintf(d, "%v:", v.Elem().Type())
		}
		d.value(v.Elem())
	case reflect.Slice:
		fmt.Fprintf(d, "%t,%d:", v.IsNil(), v.Len())
		d.follow(v, v.Len(), func() { d.elements(v) })
	case reflect.Map:
		fmt.Fprintf(d, "%t,%d:", v.IsNil(), v.Len())
		d.follow(v, 0, func() { d.entries(v) })
	case reflect.Pointer:
		// A Location fills a cache of its own.
		if v.IsNil() || v.Type() == reflect.TypeFor[*time.Location]() {
			fmt.Fprintf(d, "%x;", v.Pointer())
		} else {
			d.follow(v, 0, func() { d.value(v.Elem()) })
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		fmt.Fprintf(d, "%x;", v.Pointer())
	default:
		if v.CanInt() {
			fmt.Fprintf(d, "%d;", v.Int())
		} else {
			fmt.Fprintf(d, "%d;", v.Uint())
		}
	}
}

// follow goes on behind a reference, unless that leads back to where the way came from.
func (d *dumper) follow(v reflect.Value, n int, on func()) {
	r := reference{v.Type(), v.Pointer(), n}
	if i := slices.Index(d.path, r); i >= 0 {
		fmt.Fprintf(d, "^%d;", len(d.path)-i)
		return
	}
	d.path = append(d.path, r)
	on()
	d.path = d.path[:len(d.path)-1]
}

func (d *dumper) structure(v reflect.Value) {
	if ofSync(v.Type()) {
		return
	}
	locked := false
	for i := range v.NumField() {
		locked = locked || ofSync(v.Type().Field(i).Type)
	}
	d.WriteString("{")
	for i := range v.NumField() {
		if !locked || v.Type().Field(i).IsExported() {
			d.value(v.Field(i))
		}
	}
	d.WriteString("}")
}

func ofSync(t reflect.Type) bool { return t.PkgPath() == "sync" || t.PkgPath() == "sync/atomic" }

func (d *dumper) elements(v reflect.Value) {
	if v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8 {
		fmt.Fprintf(d, "%x;", v.Bytes())
		return
	}
	for i := range v.Len() {
		d.value(v.Index(i))
	}
}

// entries writes a map in the order of what its entries look like.
func (d *dumper) entries(v reflect.Value) {
	var all []string
	for it := v.MapRange(); it.Next(); {
		e := dumper{path: d.path}
		e.value(it.Key())
		e.value(it.Value())
		all = append(all, e.String())
	}
	slices.Sort(all)
	d.WriteString(strings.Join(all, ""))
}
