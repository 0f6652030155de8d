//go:build tools

// Package tools pins kubeconform: go.mod and go.sum name every byte it is built from.
package tools

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
