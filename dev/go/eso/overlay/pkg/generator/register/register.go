// Package register stands in for upstream's of the same path: no generator.
package register
