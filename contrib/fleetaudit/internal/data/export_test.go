package data

// Told is how a Folder tells of an error of its Store.
func Told(name, path string, err error) error { return (&Folder{Path: path, name: name}).explain(err) }
