package awsapi_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iot"
	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/model"
)

// paginator is what the SDK's paginators have in common.
type paginator[O any] interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*iot.Options)) (O, error)
}

// outputs reads what a paginator has.
func outputs[O any](ctx context.Context, p paginator[O]) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for p.HasMorePages() {
			out, err := p.NextPage(ctx)
			if !yield(out, err) || err != nil {
				return
			}
		}
	}
}

// paginators are all that the SDK has for operations of the engine.
var paginators = map[string]func(context.Context, *iot.Client, any) iter.Seq2[any, error]{
	"ListAuditFindings": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListAuditFindingsPaginator(c, in.(*iot.ListAuditFindingsInput)))
	},
	"ListAuditSuppressions": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListAuditSuppressionsPaginator(c, in.(*iot.ListAuditSuppressionsInput)))
	},
	"ListAuditTasks": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListAuditTasksPaginator(c, in.(*iot.ListAuditTasksInput)))
	},
	"ListRelatedResourcesForAuditFinding": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListRelatedResourcesForAuditFindingPaginator(c, in.(*iot.ListRelatedResourcesForAuditFindingInput)))
	},
	"ListScheduledAudits": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListScheduledAuditsPaginator(c, in.(*iot.ListScheduledAuditsInput)))
	},
	"ListTagsForResource": func(ctx context.Context, c *iot.Client, in any) iter.Seq2[any, error] {
		return outputs(ctx, iot.NewListTagsForResourcePaginator(c, in.(*iot.ListTagsForResourceInput)))
	},
}

// manifold has n items of each kind, and 50 tags. It returns the inputs that list them.
func manifold(t *testing.T, n int) (*engine.Engine, map[string]any) {
	spec := checks.Spec{
		Name: "MANY_CHECK", Severity: model.AuditFindingSeverityLow, ResourceType: model.ResourceTypeClientID,
		ReasonCodes: []checks.ReasonCode{{Code: "WEAK"}},
	}
	idle := spec
	idle.Name = "IDLE_CHECK"
	config := engine.Config{
		EnableAll: true, MaxScheduledAudits: -1, MaxOnDemandAudits: -1,
		Checks: []checks.Check{
			checks.New(spec, func(_ context.Context, pass *checks.Pass) error {
				for i := range n {
					f := checks.Finding{Resource: model.NonCompliantResource{ResourceIdentifier: client(fmt.Sprint(i))}, ReasonCode: "WEAK"}
					for j := 0; i == 0 && j < n; j++ { // the first has them all
						f.Related = append(f.Related, model.RelatedResource{
							ResourceType: model.ResourceTypeClientID, ResourceIdentifier: client(fmt.Sprint("related-", j)),
						})
					}
					pass.Report(f)
				}
				return nil
			}),
			checks.New(idle, func(context.Context, *checks.Pass) error { return nil }),
		},
	}
	for i := range n {
		config.Suppressions = append(config.Suppressions, model.AuditSuppression{
			CheckName: "IDLE_CHECK", ResourceIdentifier: client(fmt.Sprint(i)), SuppressIndefinitely: new(true),
		})
	}
	e, err := engine.New(config)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	ctx, start := t.Context(), time.Now()
	audit := func(check string) string {
		out, err := e.StartOnDemandAuditTask(ctx, &model.StartOnDemandAuditTaskInput{TargetCheckNames: []string{check}})
		require.NoError(t, err)
		return out.TaskID
	}
	ids := []string{audit("MANY_CHECK")}
	tags := make([]model.Tag, 50)
	for i := range tags {
		tags[i].Key = fmt.Sprint(i)
	}
	arn := ""
	for i := range n {
		out, err := e.CreateScheduledAudit(ctx, &model.CreateScheduledAuditInput{
			ScheduledAuditName: fmt.Sprint("s-", i), Frequency: model.AuditFrequencyDaily, TargetCheckNames: []string{"IDLE_CHECK"}, Tags: tags,
		})
		require.NoError(t, err)
		if arn = out.ScheduledAuditARN; i > 0 {
			ids = append(ids, audit("IDLE_CHECK"))
		}
	}
	for _, id := range ids {
		_, err := e.WaitAuditTask(ctx, id)
		require.NoError(t, err)
	}
	first, err := e.ListAuditFindings(ctx, &model.ListAuditFindingsInput{TaskID: ids[0], MaxResults: new(int32(1))})
	require.NoError(t, err)
	return e, map[string]any{
		"ListAuditFindings":                   &model.ListAuditFindingsInput{TaskID: ids[0]},
		"ListAuditSuppressions":               &model.ListAuditSuppressionsInput{},
		"ListAuditTasks":                      &model.ListAuditTasksInput{StartTime: model.At(start), EndTime: model.At(time.Now())},
		"ListRelatedResourcesForAuditFinding": &model.ListRelatedResourcesForAuditFindingInput{FindingID: first.Findings[0].FindingID},
		"ListScheduledAudits":                 &model.ListScheduledAuditsInput{},
		"ListTagsForResource":                 &model.ListTagsForResourceInput{ResourceARN: arn},
	}
}

// items returns the one list that an output has.
func items(t *testing.T, out any) reflect.Value {
	t.Helper()
	v := reflect.ValueOf(out).Elem()
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Slice {
			return v.Field(i)
		}
	}
	t.Fatalf("a %T has no list", out)
	return reflect.Value{}
}

// The SDK's paginators bring what the engine has, each item once and in its order, in as few pages as they can be.
func TestConformanceOfPaginators(t *testing.T) {
	for _, test := range []struct {
		items int
		sizes []int32 // 0 is the default
	}{
		{9, []int32{1, 2, 9}},
		{253, []int32{0, 100, 250}},
	} {
		e, inputs := manifold(t, test.items)
		served, entry := newServed(), entries()[1]
		c := newClient(listen(t, served.by(newHandler(t, entry.config(e)))), entry.key)
		for _, o := range engine.Operations() {
			if _, ok := reflect.TypeOf(o.NewInput()).Elem().FieldByName("NextToken"); !ok {
				continue
			}
			require.Contains(t, paginators, o.Name)
			for _, size := range test.sizes {
				paginate(t, served, c, e, o, inputs[o.Name], test.items, size)
			}
		}
	}
}

// paginate lists n items in pages of a size.
func paginate(t *testing.T, served *served, c *iot.Client, e *engine.Engine, o engine.Operation, in any, n int, size int32) {
	t.Helper()
	perPage := 25
	if limit := reflect.ValueOf(in).Elem().FieldByName("MaxResults"); !limit.IsValid() {
		perPage, n = 50, 50 // tags
	} else if size > 0 {
		limit.Set(reflect.ValueOf(&size))
		perPage = int(size)
	}
	all := held(t, e, o, in, n)
	got, pages := reflect.Zero(items(t, reflect.New(sdkMethod(t, o).Out(0).Elem()).Interface()).Type()), 0
	before := served.times(o.Name, http.StatusOK)
	input := sdkValue(reflect.ValueOf(in), sdkMethod(t, o).In(1), toServer).Interface()
	for out, err := range paginators[o.Name](t.Context(), c, input) {
		require.NoError(t, err)
		got = reflect.AppendSlice(got, items(t, out))
		pages++
	}
	if diff := cmp.Diff(sdkValue(all, got.Type(), toClient).Interface(), got.Interface(), plain); diff != "" {
		t.Errorf("%s in pages of %d (-engine +SDK):\n%s", o.Name, size, diff)
	}
	if requests := served.times(o.Name, http.StatusOK) - before; pages != (n+perPage-1)/perPage || requests != pages {
		t.Errorf("%s: %d items in %d pages of %d, with %d requests", o.Name, n, pages, perPage, requests)
	}
}

// held returns the n items that the engine has, as it lists them in pages of a size that no client asks for here, or as it
// iterates over them.
func held(t *testing.T, e *engine.Engine, o engine.Operation, in any, n int) reflect.Value {
	t.Helper()
	if in, ok := in.(*model.ListAuditFindingsInput); ok {
		var all []model.AuditFinding
		for f, err := range e.AuditFindings(t.Context(), in) {
			require.NoError(t, err)
			all = append(all, f)
		}
		require.Len(t, all, n)
		return reflect.ValueOf(all)
	}
	own := reflect.New(reflect.TypeOf(in).Elem())
	own.Elem().Set(reflect.ValueOf(in).Elem())
	if limit := own.Elem().FieldByName("MaxResults"); limit.IsValid() {
		limit.Set(reflect.ValueOf(new(int32(97))))
	}
	var all reflect.Value
	for {
		out, err := o.Call(t.Context(), e, own.Interface())
		require.NoError(t, err)
		if list := items(t, out); all.IsValid() {
			all = reflect.AppendSlice(all, list)
		} else {
			all = list
		}
		token := reflect.ValueOf(out).Elem().FieldByName("NextToken")
		if token.String() == "" {
			require.Equal(t, n, all.Len(), o.Name)
			return all
		}
		own.Elem().FieldByName("NextToken").Set(token)
	}
}
