package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/fleetaudit/fleetaudit/contrib/fleetaudit/internal/terminal"
	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// maxSlots is how many slots one call lists.
const maxSlots = 10_000

func (a *app) scheduleCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "schedule",
		Short: "Work with the calendar of scheduled audits",
		Args:  subcommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(a.nextCommand())
	return group
}

// nextFlags are the flags of schedule next.
type nextFlags struct {
	frequency              model.AuditFrequency
	dayOfMonth             string
	dayOfWeek              model.DayOfWeek
	count                  int
	from, anchor, at, zone string
}

func (a *app) nextCommand() *cobra.Command {
	var f nextFlags
	cmd := &cobra.Command{
		Use:   "next --frequency FREQUENCY",
		Short: "List when a schedule is due",
		Long: `next lists the times at which a scheduled audit is due.

Day 29, 30 or 31 in a shorter month is its last day, as LAST is in any. BIWEEKLY counts
from the first day that fits on or after --anchor. A time of day that the clock skips is
due at the first instant after the gap; one that it shows twice is due the first time.`,
		Example: `  fleetaudit schedule next --frequency MONTHLY --day-of-month LAST
  fleetaudit schedule next --frequency BIWEEKLY --day-of-week MON --at 03:30 --zone Europe/Berlin`,
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return a.next(f)
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addEnum(cmd, flags, "frequency", &f.frequency, "DAILY, WEEKLY, BIWEEKLY or MONTHLY (required)")
	flags.StringVar(&f.dayOfMonth, "day-of-month", "", "`day`, 1 to 31 or LAST; MONTHLY needs it")
	addEnum(cmd, flags, "day-of-week", &f.dayOfWeek, "SUN to SAT; WEEKLY and BIWEEKLY need it")
	flags.IntVarP(&f.count, "count", "n", 12, "how many `times` to list")
	flags.StringVar(&f.from, "from", "", "list those at or after this date or `time` (default: now)")
	flags.StringVar(&f.at, "at", "00:00", "`time` of day, as the clock in --zone shows it")
	flags.StringVar(&f.zone, "zone", "UTC", "time `zone`: Europe/Berlin, UTC, Local")
	flags.StringVar(&f.anchor, "anchor", "", "nothing is due before this date or `time`, and BIWEEKLY counts from it (default: --from)")
	return cmd
}

// slots is the result of schedule next.
type slots struct {
	Frequency  model.AuditFrequency `json:"frequency"`
	DayOfMonth string               `json:"dayOfMonth,omitempty"`
	DayOfWeek  model.DayOfWeek      `json:"dayOfWeek,omitempty"`
	At         string               `json:"at"`
	Zone       string               `json:"zone"`
	Anchor     time.Time            `json:"anchor"`
	Slots      []slot               `json:"slots"`

	begin    time.Time // the first instant of all, listed or not
	location *time.Location
}

// slot is one instant at which a schedule is due.
type slot struct {
	Local     time.Time       `json:"local"`
	UTC       time.Time       `json:"utc"`
	DayOfWeek model.DayOfWeek `json:"dayOfWeek"`         // of the local time
	Skipped   bool            `json:"skipped,omitempty"` // the clock does not show the time of day on that day
}

func (a *app) next(f nextFlags) error {
	if f.frequency == "" {
		return fmt.Errorf("--frequency is required: one of %s", strings.Join(words(f.frequency.Values()), ", "))
	}
	if f.count < 1 || f.count > maxSlots {
		return fmt.Errorf("--count %d must be from 1 to %d", f.count, maxSlots)
	}
	loc, err := time.LoadLocation(f.zone)
	if err != nil {
		return fmt.Errorf("--zone %q is not a time zone: want a name such as Europe/Berlin, UTC or Local", f.zone)
	}
	at, err := parseClock("at", f.at)
	if err != nil {
		return err
	}
	from := time.Now().In(loc).Truncate(time.Second)
	if f.from != "" {
		if from, err = parseDate("from", f.from, loc); err != nil {
			return err
		}
	}
	anchor := from
	if f.anchor != "" {
		if anchor, err = parseDate("anchor", f.anchor, loc); err != nil {
			return err
		}
	}
	s := schedule.Schedule{
		Frequency:  f.frequency,
		DayOfMonth: strings.ToUpper(f.dayOfMonth),
		DayOfWeek:  f.dayOfWeek,
		Anchor:     anchor,
		At:         at,
		Location:   loc,
	}
	if err := s.Validate(); err != nil {
		return flagProblems(err)
	}

	out := slots{s.Frequency, s.DayOfMonth, s.DayOfWeek, f.at, f.zone, anchor, []slot{}, anchor, loc}
	for t := range s.All(anchor.Add(-1)) {
		out.begin = t
		break
	}
	for t := range s.All(from.Add(-1)) {
		hour, minute, second := t.Clock()
		shown := time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute + time.Duration(second)*time.Second
		out.Slots = append(out.Slots, slot{t, t.UTC(), f.dayOfWeek.Values()[t.Weekday()], shown != at})
		if len(out.Slots) == f.count {
			break
		}
	}
	if a.format == formatJSON {
		return a.writeJSON(out)
	}
	return a.write([]byte(out.table(a.screen())))
}

// flagProblems says what is wrong with a schedule in words of its flags.
func flagProblems(err error) error {
	flags := strings.NewReplacer("dayOfMonth", "--day-of-month", "dayOfWeek", "--day-of-week", "frequency", "--frequency",
		"match ^([1-9]|[12][0-9]|3[01])$|^LAST$", "be 1 to 31 or LAST")
	return errors.New(flags.Replace(plain(err).Error()))
}

func (s slots) table(screen terminal.Screen) string {
	const layout = "2006-01-02 15:04:05"
	columns := []terminal.Column{{Right: true}, {Title: "DAY"}, {Title: "LOCAL TIME"}, {Title: "UTC"}, {Flex: true}}
	var rows [][]terminal.Cell
	for i, t := range s.Slots {
		var local, note string
		if s.location != time.UTC {
			local = t.Local.Format(layout + " MST")
		}
		if t.Skipped {
			note = "the clock skips " + s.At
		}
		rows = append(rows, []terminal.Cell{
			{Text: strconv.Itoa(i + 1), Ink: terminal.Faint},
			{Text: t.Local.Format("Mon")},
			{Text: local},
			{Text: t.UTC.Format(layout)},
			{Text: note, Ink: terminal.Yellow},
		})
	}
	title := fmt.Sprintf("%s at %s, %s", s.days(), s.At, s.Zone)
	if len(rows) == 0 {
		return screen.Paint(terminal.Bold, title) + "\n\nIt is never due: the calendar ends with year 9999.\n"
	}
	return screen.Paint(terminal.Bold, title) + "\n\n" + screen.Table("", columns, rows)
}

// days says in words on which days a schedule is due.
func (s slots) days() string {
	var weekday time.Weekday
	for i, d := range s.DayOfWeek.Values() {
		if d == s.DayOfWeek {
			weekday = time.Weekday(i)
		}
	}
	switch s.Frequency {
	case model.AuditFrequencyWeekly:
		return fmt.Sprintf("Every %v", weekday)
	case model.AuditFrequencyBiweekly:
		return fmt.Sprintf("Every second %v from %s on", weekday, s.begin.Format(time.DateOnly))
	case model.AuditFrequencyMonthly:
		switch s.DayOfMonth {
		case model.DayOfMonthLast:
			return "The last day of every month"
		case "29", "30", "31":
			return fmt.Sprintf("Day %s of every month, or its last day,", s.DayOfMonth)
		}
		return fmt.Sprintf("Day %s of every month", s.DayOfMonth)
	}
	return "Every day"
}
