package inventory

// IsCertificate tells whether a DER object is a certificate by its outline: as it is found quickly, which says no where
// there is anything unusual, and as it is found slowly.
func IsCertificate(der []byte) (quickly, slowly bool) {
	return plainCertificate(der), shapeByParser(der) == shapeCertificate
}
