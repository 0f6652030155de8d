// Command external-secrets is the External Secrets Operator with only the
// provider that needs nothing outside of the cluster: `overlay` takes the place
// of the two files that register the others, whose SDKs are a hundred times the
// operator itself.
package main

import "github.com/external-secrets/external-secrets/cmd/controller"

func main() {
	controller.Execute()
}
