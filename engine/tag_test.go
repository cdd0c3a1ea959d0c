package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

func TestTags(t *testing.T) { runScript(t, "tag.txt") }

// A schedule has at most 50 tags, however it comes by them; one call that would give it more gives it none.
func TestMostTags(t *testing.T) {
	e := openEngine(t, engine.Config{Checks: []checks.Check{good("GOOD")}})
	createSchedule(t, e, &model.CreateScheduledAuditInput{
		ScheduledAuditName: "a", Frequency: model.AuditFrequencyDaily, TargetCheckNames: []string{"GOOD"},
	})
	const created = "arn:aws:iot:us-east-1:000000000000:scheduledaudit/a"
	tag := func(from, to int) error {
		in := &model.TagResourceInput{ResourceARN: created}
		for i := from; i < to; i++ {
			in.Tags = append(in.Tags, model.Tag{Key: fmt.Sprint(i), Value: fmt.Sprint(from)})
		}
		_, err := e.TagResource(t.Context(), in)
		return err
	}
	tags := func() []model.Tag {
		out, err := e.ListTagsForResource(t.Context(), &model.ListTagsForResourceInput{ResourceARN: created})
		require.NoError(t, err)
		return out.Tags
	}
	require.NoError(t, tag(0, 49))
	before := tags()
	limit, ok := errors.AsType[*model.LimitExceededException](tag(48, 51))
	require.True(t, ok)
	if want := fmt.Sprintf("resourceArn %q would have 51 tags; it may have 50", created); limit.Message != want {
		t.Errorf("got %q, want %q", limit.Message, want)
	}
	require.Equal(t, before, tags())
	require.NoError(t, tag(1, 50))
	require.Len(t, tags(), 50)
}
