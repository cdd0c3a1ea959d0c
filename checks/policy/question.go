package policy

import (
	"slices"
	"strings"
)

// question is of which actions something is asked.
type question struct {
	actions []string // in AWS's spelling
	names   []string // the same in lower case
	places  map[string][]int
}

func newQuestion(actions []string) *question {
	q := &question{actions: actions, names: make([]string, len(actions)), places: make(map[string][]int, len(actions))}
	for i, action := range actions {
		name := strings.ToLower(action)
		q.names[i] = name
		q.places[name] = append(q.places[name], i)
	}
	return q
}

// The questions that do not depend on a policy. They are never changed.
var (
	ofThingAdminWrite = newQuestion(thingAdminWrite)
	ofThingAdminRead  = newQuestion(thingAdminRead)
	ofNonThingAdmin   = newQuestion(nonThingAdmin())
	ofAll             = newQuestion(allActions())
	ofDevices         = []struct {
		noun  noun
		asked *question
	}{
		{client, newQuestion(dataPlaneOf(client))}, {topic, newQuestion(dataPlaneOf(topic))},
		{topicFilter, newQuestion(dataPlaneOf(topicFilter))}, {thing, newQuestion(dataPlaneOf(thing))},
	}
)

// dataPlaneOf returns the actions of the data plane on resources of n.
func dataPlaneOf(n noun) (all []string) {
	for _, a := range dataPlane {
		if a.noun == n {
			all = append(all, a.action)
		}
	}
	return slices.Clip(all)
}
