package model_test

import (
	"testing"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/google/go-cmp/cmp"
)

// TestCheckExpiry has every combination of a date and suppressIndefinitely.
func TestCheckExpiry(t *testing.T) {
	const (
		both    = `expirationDate "2020-08-20T00:00:00Z" must not be given together with suppressIndefinitely true`
		neither = `expirationDate is required, or else suppressIndefinitely true`
		lone    = `expirationDate is required when suppressIndefinitely is false`
	)
	var never model.Timestamp
	neverElsewhere := model.Timestamp{Time: time.Time{}.In(time.FixedZone("elsewhere", 3600))}
	date := model.At(time.Date(2020, 8, 20, 0, 0, 0, 0, time.UTC))
	for _, row := range []struct {
		date         model.Timestamp
		indefinitely *bool
		want         []string
	}{
		{never, nil, []string{neither}},
		{never, new(false), []string{lone}},
		{never, new(true), nil},
		{date, nil, nil},
		{date, new(false), nil},
		{date, new(true), []string{both}},
		{neverElsewhere, nil, []string{neither}},
		{neverElsewhere, new(true), nil},
	} {
		var p model.Problems
		model.CheckExpiry(&p, row.date, row.indefinitely)
		if diff := cmp.Diff(row.want, texts(p)); diff != "" {
			t.Errorf("%v %v (-want +got):\n%s", row.date, row.indefinitely, diff)
		}
	}
	p := model.Problems{{Field: "expirationDate", Reason: "is wrong already"}}
	model.CheckExpiry(&p, never, nil)
	if diff := cmp.Diff([]string{"expirationDate is wrong already"}, texts(p)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestDescribedSuppression: a suppression and its description convert into each other, and print the same.
func TestDescribedSuppression(t *testing.T) {
	s := model.AuditSuppression{
		CheckName: "A_CHECK", ResourceIdentifier: model.ResourceIdentifier{ClientID: "c"},
		ExpirationDate: model.At(time.Unix(1597881600, 0)), SuppressIndefinitely: new(false), Description: "d",
	}
	if diff := cmp.Diff(mustMarshal(t, s), mustMarshal(t, model.DescribeAuditSuppressionOutput(s))); diff != "" {
		t.Errorf("(-listed +described):\n%s", diff)
	}
}
