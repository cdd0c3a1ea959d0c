// Package pages compares how pages of findings are written as JSON: by model.AppendJSON, and by encoding/json.
package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"sync"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/model"
)

// findingsAPage is the most that ListAuditFindings returns at once.
const findingsAPage = 250

// Works returns the comparison. What is written has to be the same, byte for byte.
func Works() []compare.Work {
	var a audit
	task := func(newWriter func() writer) func(findings int) (compare.Task, error) {
		return func(findings int) (compare.Task, error) {
			pages, err := a.of(findings)
			if err != nil {
				return compare.Task{}, err
			}
			return newTask(newWriter(), pages), nil
		}
	}
	return []compare.Work{{
		Name: "json/ListAuditFindings", Unit: "finding", Size: 20 * findingsAPage, Growth: 200 * findingsAPage,
		Contenders: []compare.Contender{
			{Name: "fleetaudit", New: task(ours)},
			{Name: "encoding/json", Target: 2, New: task(encoder)},
			{Name: "encoding/json, MarshalJSON", New: task(throughMarshalJSON)},
		},
	}}
}

// writer writes pages, a line each, and returns all that was written when it is called again.
type writer func(pages []*model.ListAuditFindingsOutput) ([]byte, error)

// audit is one that all write the findings of: those of another have other ids and times.
type audit struct {
	mu       sync.Mutex
	findings int
	pages    []*model.ListAuditFindingsOutput
}

// of returns the pages of an audit with so many findings.
func (a *audit) of(findings int) (_ []*model.ListAuditFindingsOutput, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.findings != findings {
		a.findings = 0
		if a.pages, err = auditPages(context.Background(), findings); err != nil {
			return nil, err
		}
		a.findings = findings
	}
	return a.pages, nil
}

func newTask(write writer, pages []*model.ListAuditFindingsOutput) compare.Task {
	var written []byte
	return compare.Task{
		Do: func() (err error) {
			written, err = write(pages)
			return err
		},
		Answer: func() any { return fmt.Sprintf("%d bytes, SHA-256 %x", len(written), sha256.Sum256(written)) },
	}
}

func ours() writer {
	var b []byte
	return func(pages []*model.ListAuditFindingsOutput) (_ []byte, err error) {
		b = b[:0]
		for _, p := range pages {
			if b, err = model.AppendJSON(b, p); err != nil {
				return nil, err
			}
			b = append(b, '\n')
		}
		return b, nil
	}
}

// encoder writes the same structs with an Encoder, which keeps its buffer too. The page is of a type without MarshalJSON:
// encoding/json checks and copies what that returns, which takes it longer than to write the page itself.
func encoder() writer {
	type page model.ListAuditFindingsOutput
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	return func(pages []*model.ListAuditFindingsOutput) ([]byte, error) {
		b.Reset()
		for _, p := range pages {
			if err := e.Encode((*page)(p)); err != nil {
				return nil, err
			}
		}
		return b.Bytes(), nil
	}
}

// throughMarshalJSON is what a program gets that knows nothing of AppendJSON.
func throughMarshalJSON() writer {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	return func(pages []*model.ListAuditFindingsOutput) ([]byte, error) {
		b.Reset()
		for _, p := range pages {
			if err := e.Encode(p); err != nil {
				return nil, err
			}
		}
		return b.Bytes(), nil
	}
}
