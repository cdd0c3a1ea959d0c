package service

// What tests need to see.
var (
	OnlyHere = onlyHere
	Paths    = []string{healthPath, metricsPath}
)
