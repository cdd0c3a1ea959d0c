// Package weakkey tells RSA keys that are known to be weak by how they were made: those of CVE-2017-15361
// by a fingerprint in the modulus ([ROCA]), those of CVE-2008-0166 by a list ([Blocklist]). All of it looks
// at public keys only.
package weakkey
