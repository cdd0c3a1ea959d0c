// Package cli is the fleetaudit command line.
package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	_ "time/tzdata" // so that --zone works where no zones are installed

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/fleetaudit/fleetaudit/checks"
	"github.com/fleetaudit/fleetaudit/checks/builtin"
	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
)

// What the program exits with.
const (
	ExitOK       = 0
	ExitFindings = 1 // the audit is complete, and found what --fail-on asks for
	ExitError    = 2 // the command line is wrong, the audit is not complete, or serving failed
)

// Run runs the command line with args, which do not begin with the program's name, and returns what to
// exit with. Results go to stdout; errors, one line each, notes and progress go to stderr. When ctx ends,
// an audit is cancelled, and Run returns with what it has; that is how serving ends.
func Run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return run(ctx, builtin.All, args, stdin, stdout, stderr)
}

// run is Run with the checks that all makes.
func run(ctx context.Context, all func(*inventory.Inventory) []checks.Check, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{all: all, stdin: stdin, stdout: stdout, stderr: stderr}
	root := a.rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(ctx); err != nil {
		a.say("%v", err)
		return ExitError
	}
	return a.code
}

// app is one run of the program.
type app struct {
	all            func(*inventory.Inventory) []checks.Check
	stdin          io.Reader
	stdout, stderr io.Writer
	code           int // to exit with, unless there is an error

	format format
	color  terminal.Color
	width  int
}

// format is how results are written.
type format string

const (
	formatTable format = "table"
	formatJSON  format = "json"
)

func (format) Values() []format { return []format{formatTable, formatJSON} }

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "fleetaudit",
		Short: "Audit the security of an IoT fleet",
		Long: `fleetaudit looks for what is wrong with an IoT fleet: certificates that expire, were
revoked or have weak keys, policies and roles that allow too much, client ids and
certificates that several devices use, logging that is off. It works on files, and asks
nobody; serve answers clients of AWS IoT.`,
		Args:              subcommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetFlagErrorFunc(flagError)
	a.format, a.color = formatTable, terminal.ColorAuto
	flags := root.PersistentFlags()
	addEnum(root, flags, "format", &a.format, "the `form` of the result: table or json")
	addEnum(root, flags, "color", &a.color, "when to use colours: auto, always or never")
	flags.IntVar(&a.width, "width", 0, fmt.Sprintf("`columns` to write for, %d to %d (default: those of the terminal, or 100)", terminal.MinWidth, terminal.MaxWidth))
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if flags.Changed("width") && (a.width < terminal.MinWidth || a.width > terminal.MaxWidth) {
			return fmt.Errorf("--width %d must be from %d to %d", a.width, terminal.MinWidth, terminal.MaxWidth)
		}
		return notEmpty(cmd.Flags())
	}
	root.AddCommand(a.auditCommand(), a.scheduleCommand(), a.checksCommand(), a.serveCommand(), a.versionCommand())
	return root
}

// notEmpty refuses a value that somebody gave and that says nothing: a script's variable that is not set
// must not mean the default.
func notEmpty(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if v := f.Value.String(); err == nil && (v == "" || v == "[]") {
			err = fmt.Errorf("--%s \"\": must not be empty", f.Name)
		}
	})
	return err
}

// subcommand is the Args of a command that has only subcommands.
func subcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("%q is not a command of %s: %s", args[0], cmd.CommandPath(), didYouMean(args[0], names))
}

// flagError says what to do about a flag that is wrong.
func flagError(cmd *cobra.Command, err error) error {
	if errors.Is(err, pflag.ErrHelp) {
		return err
	}
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok && missing.GetSpecifiedShortnames() == "" {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
		name := missing.GetSpecifiedName()
		if near := nearest(name, names); len(near) > 0 {
			return fmt.Errorf("--%s is not a flag of %s: did you mean --%s?", name, cmd.CommandPath(), strings.Join(near, " or --"))
		}
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		why := invalid.Unwrap()
		if invalid.GetFlag().Value.Type() == "bool" {
			why = errors.New("must be true or false")
		} else if _, ok := errors.AsType[*strconv.NumError](why); ok {
			why = errors.New("must be a whole number")
		}
		return fmt.Errorf("--%s %q: %w", invalid.GetFlag().Name, invalid.GetValue(), why)
	}
	return fmt.Errorf("%w (see %s --help)", err, cmd.CommandPath())
}

// say writes one line to stderr.
func (a *app) say(format string, args ...any) {
	fmt.Fprintf(a.stderr, "fleetaudit: %s\n", terminal.OneLine(fmt.Sprintf(format, args...)))
}

// write writes a result to stdout: whole, or with an error.
func (a *app) write(result []byte) error {
	if _, err := a.stdout.Write(result); err != nil {
		return fmt.Errorf("the result cannot be written: %w", err)
	}
	return nil
}

// writeJSON writes a result as one JSON document.
func (a *app) writeJSON(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return a.write(b.Bytes())
}

// screen is where stdout leads.
func (a *app) screen() terminal.Screen { return terminal.NewScreen(a.stdout, a.color, a.width) }

// enum is a flag whose value is one of a few, in any case.
type enum[T interface {
	~string
	Values() []T
}] struct{ value *T }

func (e enum[T]) String() string {
	if e.value == nil {
		return ""
	}
	return string(*e.value)
}

func (e enum[T]) Type() string { return "word" }

func (e enum[T]) Set(s string) error {
	values := (*e.value).Values()
	i := slices.IndexFunc(values, func(v T) bool { return strings.EqualFold(string(v), s) })
	if i < 0 {
		return fmt.Errorf("must be one of %s", strings.Join(words(values), ", "))
	}
	*e.value = values[i]
	return nil
}

func words[T ~string](values []T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// addEnum adds a flag whose value is one of those that T has. What v holds is the default.
func addEnum[T interface {
	~string
	Values() []T
}](cmd *cobra.Command, flags *pflag.FlagSet, name string, v *T, usage string) {
	flags.Var(enum[T]{v}, name, usage)
	values := words((*v).Values())
	// It fails only if the flag does not exist.
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}
