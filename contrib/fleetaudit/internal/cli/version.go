package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is what the program knows about its own making.
type version struct {
	Version  string `json:"version"`            // of the module
	Revision string `json:"revision,omitempty"` // of its source, where it was built from a checkout
	Modified bool   `json:"modified,omitempty"` // the source was not quite that revision
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "version",
		Short:             "Say which version this is",
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			v := buildVersion()
			if a.format == formatJSON {
				return a.writeJSON(v)
			}
			line := fmt.Sprintf("fleetaudit %s, %s %s", v.Version, v.Go, v.Platform)
			if v.Revision != "" {
				line += ", revision " + v.Revision
			}
			if v.Modified {
				line += " with changes"
			}
			return a.write([]byte(line + "\n"))
		},
	}
}

func buildVersion() version {
	v := version{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Revision = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// noArgs is the Args of a command that takes flags only.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q is too much: %s takes flags only", args[0], cmd.CommandPath())
	}
	return nil
}
