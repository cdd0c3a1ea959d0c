package cli

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/fleet"
	"github.com/fleetaudit/fleetaudit/model"
)

// maxSuppressionsFile is how long a file of suppressions may be.
const maxSuppressionsFile = 64 << 20

// readSuppressions reads a file as aws iot list-audit-suppressions prints it, whose suppressions are about checks that
// specs are of.
func readSuppressions(ctx context.Context, path string, specs []checks.Spec) ([]model.AuditSuppression, error) {
	data, err := fleet.ReadFile(ctx, path, maxSuppressionsFile)
	if err != nil {
		return nil, err
	}
	list, err := parseSuppressions(data, specs)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

// suppressionKey is what there is at most one suppression of.
type suppressionKey struct {
	check    string
	resource model.ResourceIdentifier
}

func parseSuppressions(data []byte, specs []checks.Spec) ([]model.AuditSuppression, error) {
	d, err := newDocument(data)
	if err != nil {
		return nil, err
	}
	checkNames := make([]string, len(specs))
	for i, s := range specs {
		checkNames[i] = s.Name
	}
	all := []model.AuditSuppression{} // none are not the same as nobody having said which
	first := make(map[suppressionKey]string)
	there := false
	err = d.object("", func(name, path string) error {
		switch name {
		case "suppressions":
			there = true
			return d.list(path, func(path string) error {
				var s model.AuditSuppression
				if err := d.value(path, reflect.ValueOf(&s).Elem()); err != nil {
					return err
				}
				if err := checkSuppression(path, s, checkNames); err != nil {
					return err
				}
				key := suppressionKey{s.CheckName, s.ResourceIdentifier}
				if before := first[key]; before != "" {
					var p model.Problems
					p.Add(path+".resourceIdentifier", s.ResourceIdentifier.String(), "has a suppression of "+s.CheckName+" already, "+before)
					return plain(p.Err())
				}
				first[key] = path
				all = append(all, s)
				return nil
			})
		case "nextToken", "NextToken":
			return fmt.Errorf("%s must be absent: it says that there are more suppressions, and all are needed", path)
		}
		return unknown(path, "suppressions")
	})
	switch {
	case err != nil:
		return nil, err
	case !there:
		return nil, errors.New("suppressions is required")
	}
	return all, nil
}

// checkSuppression says all that is wrong with the suppression that stands at path. It must be one that may be created,
// but for the token of the call, and it may have expired.
func checkSuppression(path string, s model.AuditSuppression, checkNames []string) error {
	p := model.Check(&model.CreateAuditSuppressionInput{
		CheckName: s.CheckName, ResourceIdentifier: s.ResourceIdentifier, ExpirationDate: s.ExpirationDate,
		SuppressIndefinitely: s.SuppressIndefinitely, Description: s.Description, ClientRequestToken: "file",
	})
	if s.CheckName != "" && !slices.Contains(checkNames, s.CheckName) {
		p.Add("checkName", s.CheckName, noSuchCheck(s.CheckName, checkNames))
	}
	for i := range p {
		p[i].Field = path + "." + p[i].Field
	}
	return plain(p.Err())
}
