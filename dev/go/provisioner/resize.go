package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// resizer does what a CSI resizer and the kubelet do together when a claim
// asks for more: it grows the volume's capacity, then the claim's status.
//
// Only the figures grow. A directory has no size of its own: no file system
// limit is enforced, before or after, and a pod can fill the whole disk.
type resizer struct {
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	queue   workqueue.TypedRateLimitingInterface[types.NamespacedName]
}

func newResizer(
	client kubernetes.Interface,
	claims corelisters.PersistentVolumeClaimLister,
	volumes corelisters.PersistentVolumeLister,
) *resizer {
	return &resizer{
		client: client, claims: claims, volumes: volumes,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[types.NamespacedName](
				100*time.Millisecond, 10*time.Second)),
	}
}

// watch enqueues a claim whenever it, or the volume it is bound to, changes.
func (r *resizer) watch(claims, volumes cache.SharedIndexInformer) error {
	enqueueClaim := func(object any) {
		if claim, ok := object.(*v1.PersistentVolumeClaim); ok {
			r.queue.Add(types.NamespacedName{Namespace: claim.Namespace, Name: claim.Name})
		}
	}
	enqueueBound := func(object any) {
		if volume, ok := object.(*v1.PersistentVolume); ok && volume.Spec.ClaimRef != nil {
			ref := volume.Spec.ClaimRef
			r.queue.Add(types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name})
		}
	}
	for informer, enqueue := range map[cache.SharedIndexInformer]func(any){
		claims: enqueueClaim, volumes: enqueueBound,
	} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc:    enqueue,
			UpdateFunc: func(_, object any) { enqueue(object) },
		})
		if err != nil {
			return fmt.Errorf("watch for resizes: %w", err)
		}
	}
	return nil
}

func (r *resizer) run(ctx context.Context) {
	go func() { <-ctx.Done(); r.queue.ShutDown() }()
	for {
		key, shutdown := r.queue.Get()
		if shutdown {
			return
		}
		if err := r.resize(ctx, key); err != nil {
			klog.ErrorS(err, "Could not resize, will try again", "claim", key)
			r.queue.AddRateLimited(key)
		} else {
			r.queue.Forget(key)
		}
		r.queue.Done(key)
	}
}

func (r *resizer) resize(ctx context.Context, key types.NamespacedName) error {
	claim, err := r.claims.PersistentVolumeClaims(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	if claim.Status.Phase != v1.ClaimBound || claim.DeletionTimestamp != nil {
		return nil
	}
	volume, err := r.volumes.Get(claim.Spec.VolumeName)
	if apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		return err
	}
	if volume.Annotations["pv.kubernetes.io/provisioned-by"] != provisionerName {
		return nil
	}

	wanted := claim.Spec.Resources.Requests[v1.ResourceStorage]
	granted := volume.Spec.Capacity[v1.ResourceStorage]
	if wanted.Cmp(granted) > 0 {
		if err := r.growVolume(ctx, volume.Name, wanted); err != nil {
			return err
		}
		klog.InfoS("Grew the volume", "volume", volume.Name, "from", granted.String(), "to", wanted.String())
		granted = wanted
	}
	if shown := claim.Status.Capacity[v1.ResourceStorage]; granted.Cmp(shown) > 0 {
		return r.showCapacity(ctx, claim, granted)
	}
	return nil
}

func (r *resizer) growVolume(ctx context.Context, name string, size resource.Quantity) error {
	patch, err := json.Marshal(map[string]any{
		"spec": map[string]any{"capacity": v1.ResourceList{v1.ResourceStorage: size}},
	})
	if err != nil {
		return err
	}
	_, err = r.client.CoreV1().PersistentVolumes().Patch(
		ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	return ignoreGone(err)
}

// showCapacity writes the claim's new size, and drops the conditions by which
// the controller manager says that somebody else has to resize.
func (r *resizer) showCapacity(
	ctx context.Context, claim *v1.PersistentVolumeClaim, size resource.Quantity,
) error {
	updated := claim.DeepCopy()
	updated.Status.Capacity[v1.ResourceStorage] = size
	kept := updated.Status.Conditions[:0]
	for _, condition := range updated.Status.Conditions {
		if condition.Type != v1.PersistentVolumeClaimResizing &&
			condition.Type != v1.PersistentVolumeClaimFileSystemResizePending {
			kept = append(kept, condition)
		}
	}
	updated.Status.Conditions = kept
	_, err := r.client.CoreV1().PersistentVolumeClaims(claim.Namespace).UpdateStatus(
		ctx, updated, metav1.UpdateOptions{})
	return ignoreGone(err)
}

func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
