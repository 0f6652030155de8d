package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

// volumeMode lets the owner and the group work in the volume and nobody else;
// setgid hands the group, which the kubelet sets to fsGroup, down to new files.
const volumeMode = os.ModeSetgid | 0o770

// directories makes and removes the directories behind the volumes.
type directories struct {
	root   string
	client kubernetes.Interface
}

var _ controller.Provisioner = &directories{}

// Provision makes the directory and describes it. Every access mode is taken:
// all pods of a claim run on the one node that has the directory.
func (d *directories) Provision(
	ctx context.Context, options controller.ProvisionOptions,
) (*v1.PersistentVolume, controller.ProvisioningState, error) {
	claim := options.PVC
	if claim.Spec.Selector != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("claim selectors are not supported")
	}
	if mode := claim.Spec.VolumeMode; mode != nil && *mode != v1.PersistentVolumeFilesystem {
		return nil, controller.ProvisioningFinished, fmt.Errorf("volumeMode %s is not supported", *mode)
	}
	if options.SelectedNodeName == "" {
		return nil, controller.ProvisioningFinished, fmt.Errorf(
			"no node was selected: the StorageClass needs volumeBindingMode WaitForFirstConsumer")
	}
	node, err := d.client.CoreV1().Nodes().Get(ctx, options.SelectedNodeName, metav1.GetOptions{})
	if err != nil {
		return nil, controller.ProvisioningFinished, fmt.Errorf("read the selected node: %w", err)
	}

	path := filepath.Join(d.root, options.StorageClass.Name, options.PVName)
	if err := makeDirectory(path); err != nil {
		return nil, controller.ProvisioningFinished, err
	}
	return &v1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: options.PVName},
		Spec: v1.PersistentVolumeSpec{
			PersistentVolumeReclaimPolicy: *options.StorageClass.ReclaimPolicy,
			AccessModes:                   claim.Spec.AccessModes,
			MountOptions:                  options.StorageClass.MountOptions,
			Capacity: v1.ResourceList{
				v1.ResourceStorage: claim.Spec.Resources.Requests[v1.ResourceStorage],
			},
			PersistentVolumeSource: v1.PersistentVolumeSource{
				Local: &v1.LocalVolumeSource{Path: path},
			},
			NodeAffinity: reach(node.Labels[v1.LabelHostname], options.PVC.Spec.AccessModes),
		},
	}, controller.ProvisioningFinished, nil
}

// Delete removes the directory with everything in it, and only if it lies
// where we make them.
func (d *directories) Delete(_ context.Context, volume *v1.PersistentVolume) error {
	if volume.Spec.Local == nil {
		return &controller.IgnoredError{Reason: "not a local volume"}
	}
	want := filepath.Join(d.root, volume.Spec.StorageClassName, volume.Name)
	if volume.Spec.Local.Path != want {
		return &controller.IgnoredError{Reason: "its path is not one of ours"}
	}
	return os.RemoveAll(want)
}

func makeDirectory(path string) error {
	// The parents may be passed through, not listed: what protects a volume is
	// its own mode.
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return fmt.Errorf("make the class's folder: %w", err)
	}
	if err := os.Mkdir(path, 0o770); err != nil && !os.IsExist(err) {
		return fmt.Errorf("make the volume's directory: %w", err)
	}
	// Mkdir's mode goes through the umask.
	if err := os.Chmod(path, volumeMode); err != nil {
		return fmt.Errorf("set the volume's mode: %w", err)
	}
	return nil
}

// reach tells from where a volume can be used: a shared one from every node, as they all are on
// this machine; any other from the node it was made for.
func reach(hostname string, modes []v1.PersistentVolumeAccessMode) *v1.VolumeNodeAffinity {
	requirement := v1.NodeSelectorRequirement{
		Key:      v1.LabelHostname,
		Operator: v1.NodeSelectorOpIn,
		Values:   []string{hostname},
	}
	if slices.Contains(modes, v1.ReadWriteMany) {
		requirement.Operator, requirement.Values = v1.NodeSelectorOpExists, nil
	}
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{
		NodeSelectorTerms: []v1.NodeSelectorTerm{{
			MatchExpressions: []v1.NodeSelectorRequirement{requirement},
		}},
	}}
}
