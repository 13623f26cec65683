package main

import (
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"
)

// ageFlags are shared by the reads that the broker may answer from its cache.
type ageFlags struct {
	age, stale time.Duration
	changed    func(flag string) bool
}

func (f *ageFlags) add(cmd *cobra.Command) {
	f.changed = cmd.Flags().Changed
	cmd.Flags().DurationVar(&f.age, "max-age", 0, "oldest `AGE` of the broker's copy; 0 asks Confluence (default: as the broker is set)")
	cmd.Flags().DurationVar(&f.stale, "max-stale", 0, "oldest `AGE` of the broker's copy when Confluence cannot be asked; 0 fails instead")
}

// messages are the ages as a request has them. Nil for those that were not set.
func (f ageFlags) messages() (age, stale *durationpb.Duration) {
	if f.changed("max-age") {
		age = durationpb.New(f.age)
	}
	if f.changed("max-stale") {
		stale = durationpb.New(f.stale)
	}
	return age, stale
}
