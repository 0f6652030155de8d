// Command helm4 is Helm 4, from its Go module: its own main package is called helm, as Helm 3's is,
// and tests want both in one PATH.
package main

import (
	"errors"
	"log/slog"
	"os"

	"helm.sh/helm/v4/pkg/cmd"
	"helm.sh/helm/v4/pkg/kube"
)

func main() {
	kube.ManagedFieldsManager = "helm"
	root, err := cmd.NewRootCmd(os.Stdout, os.Args[1:], cmd.SetupLogging)
	if err != nil {
		slog.Error("helm4 cannot start", slog.Any("error", err))
		os.Exit(1)
	}
	if err := root.Execute(); err != nil {
		var failure cmd.CommandError
		if errors.As(err, &failure) {
			os.Exit(failure.ExitCode)
		}
		os.Exit(1)
	}
}
