package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/model"
)

// parseParams reads the values of --param, and returns the parameters to set, by the names of the checks.
// NAME=VALUE is for every check of specs that has the parameter, CHECK.NAME=VALUE for one.
func parseParams(flags []string, specs []checks.Spec) (map[string]map[string]string, error) {
	set := make(map[string]map[string]string)
	for _, flag := range flags {
		key, value, ok := strings.Cut(flag, "=")
		if !ok || key == "" || value == "" {
			return nil, fmt.Errorf("--param %q: want [CHECK.]NAME=VALUE", flag)
		}
		check, name, ok := strings.Cut(strings.ToUpper(key), ".")
		of := specs
		if ok {
			var err error
			if of, err = named("--param "+flag+": ", []string{check}, specs); err != nil {
				return nil, err
			}
		} else {
			name = check
		}
		var found, names []string
		for _, s := range of {
			for _, p := range s.Params {
				names = append(names, p.Name)
				if p.Name == name {
					found = append(found, s.Name)
				}
			}
		}
		if len(found) == 0 {
			hint := "none of these checks has any"
			if len(names) > 0 {
				hint = didYouMean(name, slices.Compact(names))
			}
			return nil, fmt.Errorf("--param %s: %q is not a parameter: %s", flag, name, hint)
		}
		for _, c := range found {
			if set[c] == nil {
				set[c] = make(map[string]string)
			}
			set[c][name] = value
		}
	}
	var p model.Problems
	for _, s := range specs {
		s.Configure(&p, "--param "+s.Name, maps.Clone(set[s.Name]))
	}
	return set, plain(p.Err())
}

// plain is an error without the name that AWS has for it.
func plain(err error) error {
	if e, ok := err.(model.APIError); ok {
		return errors.New(e.ErrorMessage())
	}
	return err
}
