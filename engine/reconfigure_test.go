package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/engine"
	"github.com/fleetaudit/fleetaudit/engine/storetest"
	"github.com/fleetaudit/fleetaudit/model"
)

// What the Config says of an account counts when it begins; the suppressions of the Config go before those of the Store
// whenever there are any.
func TestRestartWithOtherConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		config := engine.Config{Store: storetest.NewMemory(), EnableAll: true, Checks: []checks.Check{good("A_CHECK"), good("B_CHECK")}}
		accepted := func(check, id string, description string) model.AuditSuppression {
			return model.AuditSuppression{
				CheckName: check, ResourceIdentifier: device(id).ResourceIdentifier, SuppressIndefinitely: new(true), Description: description,
			}
		}
		open := func() *engine.Engine {
			t.Helper()
			e, err := engine.New(config)
			require.NoError(t, err)
			return e
		}
		shown := func(e *engine.Engine) (all []string) {
			out, err := e.ListAuditSuppressions(t.Context(), nil)
			require.NoError(t, err)
			for _, s := range out.Suppressions {
				all = append(all, s.CheckName+" "+s.ResourceIdentifier.ClientID+" "+s.Description)
			}
			return all
		}
		want := func(e *engine.Engine, all ...string) {
			t.Helper()
			if diff := cmp.Diff(all, shown(e)); diff != "" {
				t.Error(diff)
			}
		}
		create := func(e *engine.Engine, id, token string) error {
			_, err := e.CreateAuditSuppression(t.Context(), &model.CreateAuditSuppressionInput{
				CheckName: "A_CHECK", ResourceIdentifier: device(id).ResourceIdentifier, SuppressIndefinitely: new(true), ClientRequestToken: token,
			})
			return err
		}
		e := open()
		require.NoError(t, create(e, "1", "one"))
		require.NoError(t, create(e, "2", "two"))
		require.NoError(t, e.Close())

		e = open() // nil keeps
		want(e, "A_CHECK 1 ", "A_CHECK 2 ")
		require.NoError(t, e.Close())

		config.Suppressions = []model.AuditSuppression{accepted("A_CHECK", "1", ""), accepted("B_CHECK", "3", "new")}
		e = open()
		want(e, "A_CHECK 1 ", "B_CHECK 3 new")
		require.NoError(t, create(e, "1", "one"), "the token is still known")
		require.NoError(t, create(e, "4", "two"), "that of what has gone may come again")
		require.NoError(t, e.Close())
		rows := config.Store.(*storetest.Memory).Rows()
		config.Suppressions = nil
		e = open()
		want(e, "A_CHECK 1 ", "A_CHECK 4 ", "B_CHECK 3 new")
		require.NoError(t, e.Close())
		if diff := cmp.Diff(rows, config.Store.(*storetest.Memory).Rows()); diff != "" {
			t.Errorf("an Engine that was only opened has changed the Store:\n%s", diff)
		}

		config.Suppressions = []model.AuditSuppression{accepted("A_CHECK", "1", "otherwise")}
		e = open()
		want(e, "A_CHECK 1 otherwise")
		require.ErrorContains(t, create(e, "1", "one"), "have a suppression already", "its token is another")
		require.NoError(t, e.Close())
		rows = config.Store.(*storetest.Memory).Rows()
		config.Suppressions = []model.AuditSuppression{accepted("A_CHECK", "2", ""), accepted("NO_CHECK", "2", "")}
		_, err := engine.New(config)
		require.ErrorContains(t, err, `Config.Suppressions[1]: InvalidRequestException: checkName "NO_CHECK" is not a check`)
		if diff := cmp.Diff(rows, config.Store.(*storetest.Memory).Rows()); diff != "" {
			t.Errorf("New has failed, and has changed the Store:\n%s", diff)
		}
		config.Suppressions = []model.AuditSuppression{}
		e = open()
		want(e)

		// EnableAll is for the beginning.
		_, err = e.UpdateAccountAuditConfiguration(t.Context(), &model.UpdateAccountAuditConfigurationInput{
			AuditCheckConfigurations: map[string]model.AuditCheckConfiguration{"B_CHECK": {}},
		})
		require.NoError(t, err)
		before := fullDump(t, e, nil)
		require.NoError(t, e.Close())
		config.Checks = append(config.Checks, good("C_CHECK"))
		e = open()
		if diff := cmp.Diff(strings.Count(before, `"enabled": true`), strings.Count(fullDump(t, e, nil), `"enabled": true`)); diff != "" {
			t.Error("checks that are enabled:", diff)
		}
		_, err = e.DeleteAccountAuditConfiguration(t.Context(), nil)
		require.NoError(t, err)
		require.NoError(t, e.Close())
		e = open()
		out, err := e.DescribeAccountAuditConfiguration(t.Context(), nil)
		require.NoError(t, err)
		doc, err := json.Marshal(out)
		require.NoError(t, err)
		require.NotContains(t, string(doc), "true")
		require.NoError(t, e.Close())

		// An Engine that has begun without EnableAll has begun.
		config.Store, config.EnableAll = storetest.NewMemory(), false
		require.NoError(t, open().Close())
		config.EnableAll = true
		e = open()
		_, err = e.StartOnDemandAuditTask(t.Context(), target("A_CHECK"))
		require.ErrorContains(t, err, "is not enabled")
		require.NoError(t, e.Close())
	})
}
