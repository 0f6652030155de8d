"""Builds, starts and stops local Kubernetes clusters for the demo and the tests.

From the bottom up:

    errors, ui        what a person sees
    paths             where everything lies
    components, build the pinned programs and their cache
    deps              what the machine itself has to have
    processes         start, record, verify and stop processes
    allocate          ports and address ranges that nobody else uses
    certs, kubeconfig identities
    api               the few requests that waiting needs
    controlplane      etcd, kube-apiserver, controller manager, scheduler
    simulated         nodes by kwok: objects only, nothing runs
    node              one real node in its own Linux namespaces
    storage           StorageClasses and their provisioner
    cluster           up, down, status: the order of it all
    cli               arguments, then one call
"""
