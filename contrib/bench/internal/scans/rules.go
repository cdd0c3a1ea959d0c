package scans

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/contrib/bench/internal/compare"
)

// rules compares a typed check with the same rule in languages for rules. All work on one core: ours, a whole audit whose
// findings are kept, with one slot, and the others in one loop that keeps the ids. Inputs that take a lot of memory are
// not made for the larger size: the garbage collector would look at them while others work.
func rules() compare.Work {
	return compare.Work{
		Name: "typed check/four conditions", Unit: "resource", Size: 100_000, Growth: 1_000_000,
		Contenders: []compare.Contender{
			{Name: "fleetaudit", New: newRuled},
			{Name: "expr", Target: 12, New: newExpr},
			{Name: "CEL", Target: 25, New: newNativeCEL},
			{Name: "CEL, maps made beforehand", Largest: 100_000, New: newCEL(mapped)},
			{Name: "CEL, values made beforehand", Largest: 100_000, New: newCEL(converted)},
			{Name: "OPA", Target: 200, Largest: 100_000, New: newOPA},
		},
	}
}

func newRuled(size int) (compare.Task, error) {
	a, err := newAuditor(1, ruled("RULE_CHECK", checks.Slice("devices", newFleet(size))))
	if err != nil {
		return compare.Task{}, err
	}
	return compare.Task{
		Do:     func() error { return a.audit() },
		Answer: a.clients,
		Close:  a.close,
	}, nil
}

// loop makes the Task of a peer that judges one device after the other.
func loop(fleet []device, judge func(i int) (bool, error)) compare.Task {
	var ids []string
	return compare.Task{
		Do: func() error {
			ids = ids[:0]
			for i := range fleet {
				violates, err := judge(i)
				if err != nil {
					return err
				}
				if violates {
					ids = append(ids, fleet[i].ID)
				}
			}
			return nil
		},
		Answer: func() any { return slices.Sorted(slices.Values(ids)) },
	}
}

// newExpr has a program that is compiled for the type, so that members are found by their place, and one VM. It is given
// pointers, which need no allocation.
func newExpr(size int) (compare.Task, error) {
	fleet := newFleet(size)
	program, err := expr.Compile(`Firmware < 7 && Region == "eu" || Certificates > 10 || !Encrypted`, expr.Env(&device{}), expr.AsBool())
	if err != nil {
		return compare.Task{}, err
	}
	var machine vm.VM
	return loop(fleet, func(i int) (bool, error) {
		v, err := machine.Run(program, &fleet[i])
		if err != nil {
			return false, err
		}
		return v.(bool), nil
	}), nil
}

// newNativeCEL has a program for the type, and is given the devices as they are, by pointer and in one activation: as expr.
func newNativeCEL(size int) (compare.Task, error) {
	program, err := celProgram(`d.Firmware < 7 && d.Region == "eu" || d.Certificates > 10 || !d.Encrypted`,
		ext.NativeTypes(reflect.TypeFor[device]()), cel.Variable("d", cel.ObjectType("scans.device")))
	if err != nil {
		return compare.Task{}, err
	}
	fleet := newFleet(size)
	var input pointed
	return celLoop(program, fleet, func(i int) any {
		input.d = &fleet[i]
		return &input
	}), nil
}

// pointed is an interpreter.Activation of one variable, d.
type pointed struct{ d *device }

func (p *pointed) ResolveName(name string) (any, bool) { return p.d, name == "d" }
func (p *pointed) Parent() interpreter.Activation      { return nil }

// newCEL is given what was made of the devices beforehand.
func newCEL(input func(*device) any) func(size int) (compare.Task, error) {
	return func(size int) (compare.Task, error) {
		program, err := celProgram(`firmware < 7 && region == "eu" || certificates > 10 || !encrypted`,
			cel.Variable("firmware", cel.IntType), cel.Variable("region", cel.StringType),
			cel.Variable("certificates", cel.IntType), cel.Variable("encrypted", cel.BoolType))
		if err != nil {
			return compare.Task{}, err
		}
		fleet := newFleet(size)
		inputs := make([]any, size)
		for i := range fleet {
			inputs[i] = input(&fleet[i])
		}
		return celLoop(program, fleet, func(i int) any { return inputs[i] }), nil
	}
}

func celProgram(rule string, with ...cel.EnvOption) (cel.Program, error) {
	env, err := cel.NewEnv(with...)
	if err != nil {
		return nil, err
	}
	checked, issues := env.Compile(rule)
	if err := issues.Err(); err != nil {
		return nil, err
	}
	return env.Program(checked, cel.EvalOptions(cel.OptOptimize))
}

func celLoop(program cel.Program, fleet []device, input func(i int) any) compare.Task {
	return loop(fleet, func(i int) (bool, error) {
		v, _, err := program.Eval(input(i))
		if err != nil {
			return false, err
		}
		return v == types.True, nil
	})
}

// mapped is a device as CEL's documentation has its inputs.
func mapped(d *device) any {
	return map[string]any{
		"firmware": d.Firmware, "region": d.Region, "certificates": d.Certificates, "encrypted": d.Encrypted,
	}
}

// converted is a device as CEL's own values, without a map: the least work that can be left to CEL.
func converted(d *device) any {
	return &values{types.Int(d.Firmware), types.String(d.Region), types.Int(d.Certificates), types.Bool(d.Encrypted)}
}

// values is an interpreter.Activation.
type values struct{ firmware, region, certificates, encrypted ref.Val }

func (v *values) ResolveName(name string) (any, bool) {
	switch name {
	case "firmware":
		return v.firmware, true
	case "region":
		return v.region, true
	case "certificates":
		return v.certificates, true
	case "encrypted":
		return v.encrypted, true
	}
	return nil, false
}

func (v *values) Parent() interpreter.Activation { return nil }

// newOPA has a query that is prepared, and inputs that are parsed beforehand, so that it need not convert any.
func newOPA(size int) (compare.Task, error) {
	ctx := context.Background()
	query, err := rego.New(rego.Query("data.fleet.violates"), rego.Module("fleet.rego", `package fleet

violates if {
	input.firmware < 7
	input.region == "eu"
}

violates if input.certificates > 10

violates if not input.encrypted
`)).PrepareForEval(ctx)
	if err != nil {
		return compare.Task{}, err
	}
	fleet := newFleet(size)
	inputs := make([]ast.Value, size)
	for i, d := range fleet {
		inputs[i] = ast.NewObject(
			ast.Item(ast.StringTerm("firmware"), ast.IntNumberTerm(d.Firmware)),
			ast.Item(ast.StringTerm("region"), ast.StringTerm(d.Region)),
			ast.Item(ast.StringTerm("certificates"), ast.IntNumberTerm(d.Certificates)),
			ast.Item(ast.StringTerm("encrypted"), ast.BooleanTerm(d.Encrypted)))
	}
	return loop(fleet, func(i int) (bool, error) {
		results, err := query.Eval(ctx, rego.EvalParsedInput(inputs[i]))
		if err != nil {
			return false, fmt.Errorf("device %d: %w", i, err)
		}
		return results.Allowed(), nil
	}), nil
}
