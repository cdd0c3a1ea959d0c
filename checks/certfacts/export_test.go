package certfacts

// Fast tells whether a certificate is understood without crypto/x509.
func Fast(der []byte) bool { return new(Facts).read(der) }

// DaysSince1970 is what dates are counted with.
func DaysSince1970(year, month, day int) int {
	return int(daysSince1970(uint(year), uint(month), uint(day)))
}
