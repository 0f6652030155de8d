// Package register stands in for upstream's of the same path: the fake provider
// alone, whose values stand in the store object.
package register

import _ "github.com/external-secrets/external-secrets/pkg/provider/fake"
