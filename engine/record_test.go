package engine_test

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fleetaudit/fleetaudit/engine"
)

var stateTables = []string{"account", "audit", "meta", "progress", "schedule", "suppression"}

// What is read of a row is what is written of it, to the byte, and the other way round.
func TestRecords(t *testing.T) {
	seen := make(map[string]int)
	for _, r := range wholeRows(t) {
		_, again, err := engine.ReadRow(r.Table, r.Key, r.Value)
		if r.Table == "chunk" || r.Table == "first" || r.Table == "run" {
			continue
		}
		if err != nil || !bytes.Equal(again, r.Value) {
			t.Errorf("%s %q: got %q, %v; want %q", r.Table, r.Key, again, err, r.Value)
		}
		seen[r.Table]++
	}
	for _, table := range stateTables {
		if seen[table] == 0 {
			t.Errorf("table %s was not tried", table)
		}
	}
}

// FuzzRecord reads values that somebody made up: an error, or a row that survives being written.
func FuzzRecord(f *testing.F) {
	for _, doc := range []string{
		`{"accountId":"000000000000","region":"us-east-1"}`,
		`{"roleArn":"r","targets":{"SNS":{"targetArn":"t","roleArn":"r","enabled":true}},"checks":{"A":{"enabled":true,"configuration":{"P":"1"}},"B":{"configuration":{}}}}`,
		`{"name":"s","frequency":"BIWEEKLY","dayOfMonth":"LAST","dayOfWeek":"SUN","checks":["A"],"tags":[{"Key":"k","Value":"v"}],"anchor":[1,999999999],"next":[2,0],"lastSlot":[-1,0],"lastRun":[3,4],"lastTaskId":"t","lastCompleted":[5,6],"missed":1,"skipped":2}`,
		`{"name":"s","frequency":"","checks":null,"tags":[],"anchor":null}`,
		`{"taskId":"t","seq":1,"type":"ON_DEMAND_AUDIT_TASK","checks":["A"],"status":"IN_PROGRESS","startTime":[1,0],"schedule":"s","since":[1,0],"canceled":true,"asOf":[2,0],"key":"\ufffd","owed":true}`,
		`{"taskId":"t","seq":1,"number":3,"runs":[{"ordinal":0,"details":{"checkRunStatus":"FAILED","errorCode":"E","message":"m","totalResourcesCount":1},"end":[1,0]},{}]}`,
		`{"check":"A","resource":{"clientId":"c","policyVersionIdentifier":{"policyName":"p","policyVersionId":"1"}},"expiry":9223372036854775807,"description":"d","token":"t","createdExpiry":-9223372036854775808,"createdDescription":"e"}`,
	} {
		for i := range stateTables {
			f.Add(uint8(i), version1(doc))
		}
	}
	f.Fuzz(func(t *testing.T, table uint8, value []byte) {
		name := stateTables[int(table)%len(stateTables)]
		key := engine.RecordKey(name, value)
		row, again, err := engine.ReadRow(name, key, value)
		if err != nil {
			return
		}
		second, third, err := engine.ReadRow(name, key, again)
		if err != nil || !bytes.Equal(again, third) {
			t.Errorf("%q, then %q: %v", again, third, err)
		}
		all := cmp.Exporter(func(reflect.Type) bool { return true })
		if diff := cmp.Diff(row, second, all, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: the row has changed:\n%s", value, diff)
		}
	})
}
