package service

// Paths are those of the service's own pages.
var Paths = []string{healthPath, metricsPath}
