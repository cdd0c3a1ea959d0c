package cli

// What tests need to see.
var (
	RunWith     = run
	ParseDate   = parseDate
	ParseClock  = parseClock
	ParseParams = parseParams
	Nearest     = nearest
	ProgressOf  = progressOf

	ParseSuppressions = parseSuppressions
)
