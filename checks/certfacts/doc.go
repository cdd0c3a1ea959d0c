// Package certfacts reads from an X.509 certificate what an audit of a fleet asks of it, and nothing else: in one
// pass over the DER, without an allocation.
//
// It is no second opinion on what a certificate is. [Parse] takes only what it fully understands, by the rules of
// crypto/x509; for everything else, and for everything that is wrong, it asks crypto/x509, whose verdict and
// words are returned. Facts are those of crypto/x509 in either case. One thing is apart, since it is arithmetic
// that most uses of a certificate do not need: whether the point of a key lies on its curve. [Facts.CheckKey] tells.
// A certificate that passes both is one that crypto/x509 takes, and the other way round.
package certfacts
