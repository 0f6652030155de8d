//go:build tools

// Package tools pins kwok: go.mod and go.sum name every byte it is built from.
package tools

import _ "sigs.k8s.io/kwok/cmd/kwok"
