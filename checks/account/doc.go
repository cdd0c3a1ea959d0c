// Package account holds the check of the settings of a whole account.
package account
