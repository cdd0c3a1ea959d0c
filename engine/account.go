package engine

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-memdb"

	"github.com/fleetaudit/fleetaudit/model"
)

// UpdateAccountAuditConfiguration changes the audit settings. It merges: checks and targets that the input
// does not name stay as they are, and so do the parameters of a check and the ARNs of a target that it
// names without them. The first call must bring a roleArn and enable at least one check. A check that is
// enabled and that a scheduled audit uses cannot be disabled. What was collected for a check is dropped when it
// is disabled (see [checks.Source]).
//
// Errors: InvalidRequestException.
func (e *Engine) UpdateAccountAuditConfiguration(ctx context.Context, in *model.UpdateAccountAuditConfigurationInput) (*model.UpdateAccountAuditConfigurationOutput, error) {
	p, err := beginWrite(ctx, e, &in)
	if err != nil {
		return nil, err
	}
	err = e.write(func(u *update) error { return e.configure(u.txn, p, in) })
	if err != nil {
		return nil, err
	}
	e.collect()
	return &model.UpdateAccountAuditConfigurationOutput{}, nil
}

func (e *Engine) configure(txn *memdb.Txn, p model.Problems, in *model.UpdateAccountAuditConfigurationInput) error {
	old := e.account(txn)
	row := &accountRow{
		targets: make(map[model.AuditNotificationType]model.AuditNotificationTarget),
		checks:  make(map[string]model.AuditCheckConfiguration),
	}
	if old != nil {
		row.roleARN = old.roleARN
		maps.Copy(row.targets, old.targets)
		maps.Copy(row.checks, old.checks)
	}
	if in.RoleARN != "" {
		row.roleARN = in.RoleARN
	}
	e.mergeChecks(&p, row, in, e.checkUsers(txn))
	mergeTargets(&p, row, in)
	if old == nil {
		if row.roleARN == "" {
			p.Add("roleArn", nil, "is required in the first call")
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(row.checks)), func(c model.AuditCheckConfiguration) bool { return c.Enabled }) {
			p.Add("auditCheckConfigurations", nil, "must enable at least one check in the first call")
		}
	}
	if err := p.Err(); err != nil {
		return err
	}
	put(txn, accountTable, row)
	return nil
}

// enableAll configures the account as Config.EnableAll says.
func (e *Engine) enableAll(txn *memdb.Txn) {
	row := &accountRow{checks: make(map[string]model.AuditCheckConfiguration, len(e.specs))}
	for _, s := range e.specs {
		row.checks[s.Name] = model.AuditCheckConfiguration{Enabled: true}
	}
	put(txn, accountTable, row)
}

func (e *Engine) mergeChecks(p *model.Problems, row *accountRow, in *model.UpdateAccountAuditConfigurationInput, users map[string][]string) {
	noSuchCheck := e.noSuchCheck()
	for _, name := range slices.Sorted(maps.Keys(in.AuditCheckConfigurations)) {
		path := "auditCheckConfigurations." + name
		i, ok := e.ordinals[name]
		if !ok {
			p.Add("auditCheckConfigurations", name, noSuchCheck)
			continue
		}
		c := in.AuditCheckConfigurations[name]
		if used := users[name]; !c.Enabled && row.checks[name].Enabled && len(used) > 0 {
			p.Add(path+".enabled", false, "must stay true, because the check is used by "+strings.Join(used, ", "))
		}
		e.specs[i].Configure(p, path+".configuration", c.Configuration)
		if c.Configuration == nil {
			c.Configuration = row.checks[name].Configuration
		}
		c.Configuration = maps.Clone(c.Configuration)
		row.checks[name] = c
	}
}

func mergeTargets(p *model.Problems, row *accountRow, in *model.UpdateAccountAuditConfigurationInput) {
	for _, kind := range slices.Sorted(maps.Keys(in.AuditNotificationTargetConfigurations)) {
		target, old := in.AuditNotificationTargetConfigurations[kind], row.targets[kind]
		zero(&target.TargetARN, old.TargetARN)
		zero(&target.RoleARN, old.RoleARN)
		if target.Enabled && target.TargetARN == "" {
			p.Add(model.KeyPath("auditNotificationTargetConfigurations", string(kind))+".targetArn", nil, "is required to enable the target")
		}
		row.targets[kind] = target
	}
}

// checkUsers returns the names of the scheduled audits that use each check.
func (e *Engine) checkUsers(txn *memdb.Txn) map[string][]string {
	users := make(map[string][]string)
	for s := range rows[scheduleRow](txn, scheduleTable, "id", nil) {
		for _, name := range s.checks {
			users[name] = append(users[name], s.name)
		}
	}
	return users
}

func (e *Engine) noSuchCheck() string {
	names := make([]string, len(e.specs))
	for i, s := range e.specs {
		names[i] = s.Name
	}
	if len(names) > 20 {
		names = append(names[:20], "...")
	}
	return "is not a check of this account, which has " + strings.Join(names, ", ")
}

// wantCheck notes that the Engine has no such check. Of an empty name model.Check has said so.
func (e *Engine) wantCheck(p *model.Problems, name string) {
	if _, ok := e.ordinals[name]; !ok && name != "" {
		p.Add("checkName", name, e.noSuchCheck())
	}
}

// wantEnabled notes which of the checks do not exist or are not enabled.
func (e *Engine) wantEnabled(p *model.Problems, a *accountRow, names []string) {
	noSuchCheck, settings, last := sync.OnceValue(e.noSuchCheck), e.settings(a), -1
	for i, name := range names {
		wrong := ""
		ordinal, ok := e.ordinal(name, last+1)
		if !ok {
			wrong = noSuchCheck()
		} else if !settings[ordinal].enabled {
			wrong = "is not enabled; UpdateAccountAuditConfiguration enables it"
		}
		last = ordinal
		if wrong != "" && name != "" { // of an empty name model.Check has said so
			p.Add(fmt.Sprintf("targetCheckNames[%d]", i), name, wrong)
		}
	}
}

// DescribeAccountAuditConfiguration returns the audit settings. Every check of the Engine is listed; in an
// account that was never configured all of them are disabled, and there is neither role nor target.
func (e *Engine) DescribeAccountAuditConfiguration(ctx context.Context, in *model.DescribeAccountAuditConfigurationInput) (*model.DescribeAccountAuditConfigurationOutput, error) {
	if _, err := begin(ctx, e, &in); err != nil {
		return nil, err
	}
	out := &model.DescribeAccountAuditConfigurationOutput{
		AuditCheckConfigurations: make(map[string]model.AuditCheckConfiguration, len(e.specs)),
	}
	row := e.account(e.state.Txn(false))
	if row != nil {
		out.RoleARN = row.roleARN
		out.AuditNotificationTargetConfigurations = maps.Clone(row.targets)
	}
	for _, s := range e.specs {
		var c model.AuditCheckConfiguration
		if row != nil {
			c = row.checks[s.Name]
			c.Configuration = maps.Clone(c.Configuration)
		}
		out.AuditCheckConfigurations[s.Name] = c
	}
	return out, nil
}

// DeleteAccountAuditConfiguration resets the audit settings. Scheduled audits go too if the input says so;
// otherwise they stay, and their audits have FAILED checks with AUDIT_CHECK_DISABLED. Audits in progress
// go on.
//
// Errors: InvalidRequestException; ResourceNotFoundException if there are no settings.
func (e *Engine) DeleteAccountAuditConfiguration(ctx context.Context, in *model.DeleteAccountAuditConfigurationInput) (*model.DeleteAccountAuditConfigurationOutput, error) {
	if err := valid(beginWrite(ctx, e, &in)); err != nil {
		return nil, err
	}
	err := e.write(func(u *update) error {
		row := e.account(u.txn)
		if row == nil {
			return &model.ResourceNotFoundException{Message: "the account has no audit configuration"}
		}
		remove(u.txn, accountTable, row)
		if in.DeleteScheduledAudits {
			for s := range rows[scheduleRow](u.txn, scheduleTable, "id", nil) {
				remove(u.txn, scheduleTable, s)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	e.collect()
	return &model.DeleteAccountAuditConfigurationOutput{}, nil
}
