// Package strictjson reads JSON in which security is written down, where encoding/json is too kind: a member that
// is there twice, half a surrogate pair and bytes that are not UTF-8 are errors, and names are compared exactly.
// What it reads is a tree whose values know where they stand, so that what is made of them can tell of a wrong
// one by line, column and path.
package strictjson
