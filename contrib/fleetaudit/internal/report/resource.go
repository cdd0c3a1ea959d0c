package report

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/fleetaudit/fleetaudit/checks/inventory"
	"github.com/fleetaudit/fleetaudit/model"
)

// Resource is how a person recognises a resource, and where it stands.
type Resource struct {
	Subject string `json:"subject,omitempty"` // of a certificate that parses
	File    string `json:"file"`
	Offset  int64  `json:"offset"` // in bytes
}

// Name fills Resources from what was loaded.
func (r *Report) Name(loaded inventory.Loaded) {
	wanted := make(map[string]bool)
	finding := func(f *model.AuditFinding) {
		wanted[resourceKey(f.NonCompliantResource.ResourceIdentifier)] = true
		for _, related := range f.RelatedResources {
			wanted[resourceKey(related.ResourceIdentifier)] = true
		}
	}
	suppressions := func(list []model.AuditSuppression) {
		for _, s := range list {
			wanted[resourceKey(s.ResourceIdentifier)] = true
		}
	}
	for i := range r.Findings {
		finding(&r.Findings[i].AuditFinding)
	}
	if c := r.Changes; c != nil {
		for i := range c.Resolved {
			finding(&c.Resolved[i].AuditFinding)
		}
		for i := range c.NotReevaluated {
			finding(&c.NotReevaluated[i].AuditFinding)
		}
	}
	if s := r.Suppressions; s != nil {
		suppressions(slices.Concat(s.Expired, s.Expiring, s.Unmatched))
	}
	if f := r.Forecast; f != nil {
		suppressions(f.Lapsed)
		for i := range f.Findings {
			finding(&f.Findings[i].AuditFinding)
		}
	}
	for _, list := range [][]inventory.Certificate{loaded.DeviceCertificates, loaded.CACertificates} {
		for i := range list {
			if c := &list[i]; wanted[c.ID] { // which is its key
				r.Resources[c.ID] = Resource{c.Subject(), c.Origin.File, c.Origin.Offset}
			}
		}
	}
	add := func(id model.ResourceIdentifier, at inventory.Origin) {
		if key := resourceKey(id); wanted[key] {
			r.Resources[key] = Resource{File: at.File, Offset: at.Offset}
		}
	}
	for _, v := range loaded.PolicyVersions {
		version := model.PolicyVersionIdentifier{PolicyName: v.Name, PolicyVersionID: v.VersionID}
		add(model.ResourceIdentifier{PolicyVersionIdentifier: version}, v.Origin)
	}
	for _, p := range loaded.IdentityPools {
		add(model.ResourceIdentifier{CognitoIdentityPoolID: p.ID}, p.Origin)
	}
	for _, a := range loaded.RoleAliases {
		add(model.ResourceIdentifier{RoleAliasARN: a.ARN}, a.Origin)
	}
	for _, a := range loaded.Accounts {
		add(model.ResourceIdentifier{Account: a.Account}, a.Origin)
	}
}

// resourceKey is what Resources has a resource by; empty if it has none of that kind. No two are the same: the ids
// of identity pools have a colon in them and no slash.
func resourceKey(id model.ResourceIdentifier) string {
	if v := id.PolicyVersionIdentifier; v.PolicyName != "" {
		return "policy/" + v.PolicyName + ":" + v.PolicyVersionID
	}
	return cmp.Or(certificateID(id), id.CognitoIdentityPoolID, id.RoleAliasARN, id.Account)
}

// certificateID is the id of a certificate, of whatever kind; empty if id is of something else.
func certificateID(id model.ResourceIdentifier) string {
	return cmp.Or(id.DeviceCertificateID, id.CACertificateID, id.IssuerCertificateIdentifier.IssuerID)
}

// from is where a resource was read, without what the head of the report says already.
func (w *writer) from(r Resource) string {
	switch {
	case w.oneFile && w.wholeFiles:
		return ""
	case w.oneFile:
		return strconv.FormatInt(r.Offset, 10)
	}
	if paths := w.report.Paths; len(paths) == 1 {
		if short, err := filepath.Rel(paths[0], r.File); err == nil {
			return place(short, r.Offset)
		}
	}
	return place(r.File, r.Offset)
}

// oneFile tells whether all that was found is in the one file that the head of the report names.
func (r *Report) oneFile() bool {
	for _, c := range r.Resources {
		if len(r.Paths) != 1 || c.File != filepath.Clean(r.Paths[0]) {
			return false
		}
	}
	return true
}

// wholeFiles tells whether all that was found stands where its file begins.
func (r *Report) wholeFiles() bool {
	for _, c := range r.Resources {
		if c.Offset != 0 {
			return false
		}
	}
	return true
}
