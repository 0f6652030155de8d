// Command provisioner makes PersistentVolumes out of plain directories, for
// the local cluster only.
//
// A volume is a directory <root>/<class>/<pv name>, offered as a `local`
// PersistentVolume that is tied to the node the scheduler selected. `local`
// and not `hostPath`, because the kubelet applies a pod's fsGroup to it: a
// Spark user without root can write. The directory is made where this program
// runs, so it also exists for simulated nodes, which run nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// provisionerName is the `provisioner` of our StorageClasses.
const provisionerName = "dev.polder.dev/local-directory"

func main() {
	kubeconfig := flag.String("kubeconfig", "", "file with the address and the identity to use")
	root := flag.String("root", "", "folder under which the volumes' directories are made")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *kubeconfig, *root); err != nil {
		fmt.Fprintln(os.Stderr, "provisioner:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, root string) error {
	if root == "" {
		return fmt.Errorf("--root is required")
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read kubeconfig %q: %w", kubeconfig, err)
	}
	config.QPS, config.Burst = 200, 400 // tests make many claims at once
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}

	factory := informers.NewSharedInformerFactory(client, 10*time.Minute)
	claims := factory.Core().V1().PersistentVolumeClaims()
	volumes := factory.Core().V1().PersistentVolumes()
	resizer := newResizer(client, claims.Lister(), volumes.Lister())
	if err := resizer.watch(claims.Informer(), volumes.Informer()); err != nil {
		return err
	}
	provisioning := controller.NewProvisionController(
		ctx, client, provisionerName, &directories{root: root, client: client},
		controller.LeaderElection(false),
		controller.ClaimsInformer(claims.Informer()),
		controller.VolumesInformer(volumes.Informer()),
		controller.RateLimiter(workqueue.NewTypedItemExponentialFailureRateLimiter[string](
			200*time.Millisecond, 10*time.Second)),
	)

	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	klog.InfoS("Started", "provisioner", provisionerName, "root", root)
	go resizer.run(ctx)
	provisioning.Run(ctx)
	return nil
}
