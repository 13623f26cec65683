package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is the module's version where it was installed as one, and the commit
// where the build stamped it.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" && build.Main.Version == "(devel)" {
			return "devel-" + setting.Value
		}
	}
	if build.Main.Version == "" {
		return "(devel)"
	}
	return build.Main.Version
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "confluence-broker %s %s\n", version(), runtime.Version())
			return err
		},
	}
}
