package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/calendars"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/certaudit"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/facts"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/overhead"
	pagejson "github.com/fleetaudit/fleetaudit/contrib/bench/internal/pages"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/policies"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/scans"
)

// works are all that peers are measured at. corpus is a file of the policies to analyse; empty: our own.
func works(corpus string) ([]compare.Work, error) {
	var documents []policies.Document
	if corpus != "" {
		f, err := os.Open(corpus)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		if documents, err = readPolicies(f); err != nil {
			return nil, fmt.Errorf("%s: %w", corpus, err)
		}
	}
	return slices.Concat(calendars.Works(), facts.Works(), certaudit.Works(), scans.Works(), overhead.Works(),
		policies.Works(documents), pagejson.Works()), nil
}

// readPolicies reads JSON objects with a name and a document, which is a policy or a string that holds one.
func readPolicies(r io.Reader) (list []policies.Document, err error) {
	for d := json.NewDecoder(r); ; {
		var p struct {
			Name     string
			Document json.RawMessage
		}
		switch err := d.Decode(&p); {
		case err == io.EOF && len(list) == 0:
			return nil, errors.New("there is no policy")
		case err == io.EOF:
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("policy %d: %w", len(list)+1, err)
		case len(p.Document) == 0:
			return nil, fmt.Errorf("policy %d, %q: there is no document", len(list)+1, p.Name)
		}
		text := []byte(p.Document)
		if text[0] == '"' {
			var quoted string
			_ = json.Unmarshal(p.Document, &quoted) // it is a valid string
			text = []byte(quoted)
		}
		list = append(list, policies.Document{Name: p.Name, Text: text})
	}
}
