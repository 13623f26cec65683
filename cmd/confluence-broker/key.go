package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/confluence-broker/confluence-broker/caller"
)

func keyCommand(env environment) *cobra.Command {
	name := "my-service"
	cmd := &cobra.Command{
		Use:   "key",
		Short: "make a static key for a caller",
		Long: `key makes a static key, for set-ups without certificates and OpenID Connect. The
key goes to stdout, once, and is kept nowhere:

  confluence-broker key --name search-indexer > indexer.key

The caller sends it as "authorization: Bearer KEY". The lines for the policy
file go to stderr; they hold the key's hash, which is no secret.`,
		Args: arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			key := caller.NewKey()
			if _, err := fmt.Fprintln(env.stdout, key); err != nil {
				return err // a key that nobody got should not be in a policy
			}
			fmt.Fprintf(env.stderr, "callers:\n  - name: %q\n    keys: [%q]\n    methods: []  # such as GetPage\n    spaces: []   # such as DOC\n", name, caller.HashKey(key))
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", name, "`NAME` of the caller in the policy")
	return cmd
}
