//go:build tools

// Package tools pins VictoriaLogs: go.mod and go.sum name every byte it is built from.
package tools

import _ "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"
