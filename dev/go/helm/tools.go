//go:build tools

// Package tools pins helm: go.mod and go.sum name every byte it is built from.
package tools

import _ "helm.sh/helm/v3/cmd/helm"
