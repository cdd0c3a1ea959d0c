// Package policies compares how policies are judged: by policy.Set, and by OPA with a rule of the same meaning.
package policies

import "github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"

// Size is how many policies Works judges at once if it makes them itself.
const Size = 400

// Works returns the comparisons over documents; nil: over a Corpus. What all policies allow broadly has to be the same.
func Works(documents []Document) []compare.Work {
	if documents == nil {
		documents = Corpus(Size)
	}
	work := func(name string, target float64, largest int, ours, opa func([]Document) (compare.Task, error)) compare.Work {
		// The documents again and again, as many as are asked for.
		on := func(task func([]Document) (compare.Task, error)) func(int) (compare.Task, error) {
			return func(size int) (compare.Task, error) {
				all := make([]Document, size)
				for i := range all {
					all[i] = documents[i%len(documents)]
				}
				return task(all)
			}
		}
		return compare.Work{Name: name, Unit: "policy", Size: len(documents), Growth: 10 * len(documents), Contenders: []compare.Contender{
			{Name: "fleetaudit", New: on(ours)},
			// Prepared once, which is how OPA is embedded where it has to be quick.
			{Name: "OPA", Target: target, Largest: largest, New: on(opa)},
		}}
	}
	return []compare.Work{
		work("policies/parsed before", 50, 0, oursParsed, opaParsed),
		work("policies, parsed too/from text", 0, len(documents), oursFromText, opaFromText),
	}
}
