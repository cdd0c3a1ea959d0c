package schedule_test

import (
	"fmt"
	"time"

	"github.com/fleetaudit/fleetaudit/model"
	"github.com/fleetaudit/fleetaudit/schedule"
)

// The last day of each month at 04:30 in Berlin, over both changes of the clock and a 29 February.
func ExampleSchedule_All() {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		fmt.Println(err)
		return
	}
	s := schedule.Schedule{
		Frequency:  model.AuditFrequencyMonthly,
		DayOfMonth: model.DayOfMonthLast,
		At:         4*time.Hour + 30*time.Minute,
		Location:   berlin,
	}
	n := 0
	for slot := range s.All(time.Date(2023, time.September, 30, 12, 0, 0, 0, berlin)) {
		fmt.Println(slot.Format("Mon 2006-01-02 15:04 MST"))
		if n++; n == 12 {
			break
		}
	}
	// Output:
	// Tue 2023-10-31 04:30 CET
	// Thu 2023-11-30 04:30 CET
	// Sun 2023-12-31 04:30 CET
	// Wed 2024-01-31 04:30 CET
	// Thu 2024-02-29 04:30 CET
	// Sun 2024-03-31 04:30 CEST
	// Tue 2024-04-30 04:30 CEST
	// Fri 2024-05-31 04:30 CEST
	// Sun 2024-06-30 04:30 CEST
	// Wed 2024-07-31 04:30 CEST
	// Sat 2024-08-31 04:30 CEST
	// Mon 2024-09-30 04:30 CEST
}

// Every second Tuesday. Which Tuesdays is settled by the anchor, not by where the question starts.
func ExampleSchedule_Next() {
	s := schedule.Schedule{
		Frequency: model.AuditFrequencyBiweekly,
		DayOfWeek: model.DayOfWeekTue,
		Anchor:    time.Date(2024, time.December, 4, 15, 0, 0, 0, time.UTC), // a Wednesday
		At:        9 * time.Hour,
	}
	for _, after := range []string{"2024-12-04", "2024-12-11", "2024-12-30", "2025-12-30"} {
		t, _ := time.Parse(time.DateOnly, after)
		fmt.Println("after", after, "comes", s.Next(t).Format("Mon 2006-01-02 15:04"))
	}
	// Output:
	// after 2024-12-04 comes Tue 2024-12-10 09:00
	// after 2024-12-11 comes Tue 2024-12-24 09:00
	// after 2024-12-30 comes Tue 2025-01-07 09:00
	// after 2025-12-30 comes Tue 2026-01-06 09:00
}

// What a program missed while it was down, not counting the slot that it runs to catch up.
func ExampleSchedule_Count() {
	s := schedule.Schedule{Frequency: model.AuditFrequencyDaily, At: 6 * time.Hour}
	lastRun := time.Date(2026, time.June, 1, 6, 0, 0, 0, time.UTC)
	now := time.Date(2026, time.June, 10, 12, 0, 0, 0, time.UTC)
	fmt.Println(s.Count(lastRun, now)-1, "missed")
	// Output: 8 missed
}

func ExampleSchedule_Validate() {
	s := schedule.Schedule{Frequency: model.AuditFrequencyWeekly, DayOfWeek: "TUESDAY", At: 25 * time.Hour}
	fmt.Println(s.Validate())
	// Output: InvalidRequestException: dayOfWeek "TUESDAY" must be one of SUN, MON, TUE, WED, THU, FRI, SAT; at "25h0m0s" must be at least 0 and less than 24h
}

// Three schedules of one account, due at different times between midnight and six.
func ExampleSpread() {
	for _, name := range []string{"factory-north", "factory-south", "vehicles"} {
		fmt.Println(name, schedule.Spread(name, 6*time.Hour))
	}
	// Output:
	// factory-north 5h3m41.923s
	// factory-south 4h48m18.353s
	// vehicles 47m22.068s
}
