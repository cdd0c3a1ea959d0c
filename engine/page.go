package engine

import (
	"iter"

	"github.com/fleetaudit/fleetaudit/model"
)

// pageSize is how many results a page has: AWS's default is 25.
func pageSize(max *int32) int {
	if max == nil {
		return 25
	}
	return int(*max)
}

// openToken returns what the token of a query holds, nil for the first page. A token that is not the
// query's is a problem of the input.
func (e *Engine) openToken(p *model.Problems, query, token string) []byte {
	if token == "" {
		return nil
	}
	payload, err := e.tokens.Open([]byte(query), token)
	if err != nil {
		p.Add("nextToken", token, err.Error())
	}
	return payload
}

// reached tells whether there are at least limit rows. A limit of zero is never reached.
func reached[T any](rows iter.Seq[T], limit int) bool {
	if limit == 0 {
		return false
	}
	n := 0
	for range rows {
		if n++; n >= limit {
			return true
		}
	}
	return false
}
