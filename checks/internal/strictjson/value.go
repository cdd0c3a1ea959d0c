package strictjson

import "fmt"

// Kind is what a [Value] is. The zero value is Null.
type Kind uint8

// The six kinds.
const (
	Null Kind = iota
	Bool
	Number
	String
	List
	Object
)

// String is the kind as a part of a sentence: "a string".
func (k Kind) String() string {
	switch k {
	case Null:
		return "null"
	case Bool:
		return "a boolean"
	case Number:
		return "a number"
	case String:
		return "a string"
	case List:
		return "a list"
	case Object:
		return "an object"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// Value is a JSON value and all that is in it. [Parse] and [Values] make it. It must not be changed or copied,
// and is safe for concurrent use. It keeps the bytes that it was read from.
//
// The methods whose names begin with As, and [Value.Find], take a nil *Value for a member that is absent.
type Value struct {
	Kind    Kind
	Offset  int64    // of its first byte
	Text    string   // of a String what it says; of a Number, Bool or Null what stands there
	Members []Member // of an Object, in the order of the document; no name is there twice
	Elems   []Value  // of a List

	doc *document
}

// Member is one member of an object.
type Member struct {
	Name       string
	NameOffset int64 // of the quotation mark before it
	Value      Value
}

// Find returns the value of the member with this very name; nil if there is none, or v is no object. Many calls
// for an object of many members are slow: range over Members.
func (v *Value) Find(name string) *Value {
	if v == nil {
		return nil
	}
	for i := range v.Members {
		if v.Members[i].Name == name {
			return &v.Members[i].Value
		}
	}
	return nil
}

// Need is [Value.Find], but that there is none is an [Error].
func (v *Value) Need(name string) (*Value, error) {
	if err := v.is(Object); err != nil {
		return nil, err
	}
	if found := v.Find(name); found != nil {
		return found, nil
	}
	return nil, v.Errorf("has no %s", name)
}

// AsObject returns the members of an object; none for nil. If names are given, a member of another name is an
// error.
func (v *Value) AsObject(names ...string) ([]Member, error) {
	if v == nil {
		return nil, nil
	}
	if err := v.is(Object); err != nil {
		return nil, err
	}
	for i := range v.Members {
		if err := v.Members[i].oneOf(names); err != nil {
			return nil, err
		}
	}
	return v.Members, nil
}

// AsList returns the values of a list; none for nil.
func (v *Value) AsList() ([]Value, error) {
	if v == nil {
		return nil, nil
	}
	return v.Elems, v.is(List)
}

// AsString returns what a string says; "" for nil.
func (v *Value) AsString() (string, error) {
	if v == nil {
		return "", nil
	}
	if err := v.is(String); err != nil {
		return "", err
	}
	return v.Text, nil
}

// AsBool returns a boolean; false for nil.
func (v *Value) AsBool() (bool, error) {
	if v == nil {
		return false, nil
	}
	return v.Text == "true", v.is(Bool)
}
