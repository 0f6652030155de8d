// Command etcd is the etcd server, built from its Go module: the release
// repository's own main package is not part of a module that can be fetched.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() {
	etcdmain.Main(os.Args)
}
