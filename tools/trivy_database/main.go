// trivy-database FILE PAIRS…: fills a new Trivy database from files of pairs, written as Trivy's own tests write them.
package main

import (
	"fmt"
	"os"

	fixtures "github.com/aquasecurity/bolt-fixtures"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: trivy-database FILE PAIRS…")
		os.Exit(2)
	}
	if err := fill(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func fill(file string, pairs []string) error {
	loader, err := fixtures.New(file, pairs)
	if err != nil {
		return err
	}
	if err := loader.Load(); err != nil {
		return err
	}
	return loader.Close()
}
