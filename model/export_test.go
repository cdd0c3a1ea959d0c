package model

// ShapeRows is the table of shapes.go in the words of testdata/shapes.txt, but for the kinds of the
// shapes, which are not in the table.
func ShapeRows() map[string]Fact {
	rows := make(map[string]Fact, len(shapes))
	for name, s := range shapes {
		rows[name] = Fact{Min: s.min, Max: s.max, Pattern: s.shown, Enum: s.enum, Key: s.key, Elem: s.elem}
	}
	return rows
}

// Fact is what testdata/shapes.txt says of a shape that is no structure.
type Fact struct {
	Kind      string // "string", "integer", "list", "map"...
	Min, Max  int    // Max 0: none
	Pattern   string
	Enum      []string
	Key, Elem string // of a map; of a list and a map
}
