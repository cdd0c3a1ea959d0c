package policy

import "github.com/fleetaudit/fleetaudit/checks/internal/strictjson"

// SyntaxError says what is wrong with a document that is no policy, and where. It is found with errors.AsType.
type SyntaxError struct {
	Line, Column int    // from 1; the column is in characters
	Offset       int64  // in bytes, from 0
	Path         string // "Statement[1].Action[0]"; empty: the document itself
	Problem      string // goes on from the path; what it repeats of the document is shortened
}

// Error is the place, the path and the problem: `line 3, column 14: Statement[1].Effect "allow" must be Allow or Deny`.
func (e *SyntaxError) Error() string { return (*strictjson.Error)(e).Error() }
