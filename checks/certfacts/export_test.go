package certfacts

// Fast tells whether a certificate is understood without crypto/x509.
func Fast(der []byte) bool { return new(Facts).read(der) }

// DaysSince1970 is what dates are counted with.
var DaysSince1970 = daysSince1970
