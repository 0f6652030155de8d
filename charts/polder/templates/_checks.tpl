{{/*
What the schema of the values cannot see: values that do not go together, and a cluster that is not
fit. Fails before Helm sends anything.
*/}}
{{- define "polder.checks" -}}
{{- include "polder.checkValues" . }}
{{- /* Nothing is found by `helm template`, nor by Argo CD, which renders without a cluster. */ -}}
{{- if lookup "v1" "Namespace" "" "kube-system" }}
{{- include "polder.checkOtherReleases" . }}
{{- include "polder.checkCrds" . }}
{{- end }}
{{- end }}

{{- define "polder.checkValues" -}}
{{- if and (gt (int .Values.replicaCount) 1) (not .Values.leaderElection.enabled) }}
{{- fail "replicaCount: more than one replica needs leaderElection.enabled" }}
{{- end }}
{{- if and (gt (int .Values.shards) 1) (not .Values.leaderElection.enabled) }}
{{- fail "shards: more than one needs leaderElection.enabled" }}
{{- end }}
{{- if not (hasKey .Values.sparkImages.versions .Values.sparkImages.default) }}
{{- fail (printf "sparkImages.default: %s is not one of sparkImages.versions" .Values.sparkImages.default) }}
{{- end }}
{{- end }}

{{/*
One Polder in a cluster: two would undo each other's work, and the policies of each refuse the
other's operator. Found by the cluster-scoped objects that every installation has.
*/}}
{{- define "polder.checkOtherReleases" -}}
{{- range list (list "rbac.authorization.k8s.io/v1" "ClusterRoleBinding") (list "admissionregistration.k8s.io/v1" "ValidatingAdmissionPolicyBinding") }}
{{- $kind := index . 1 }}
{{- range (lookup (index . 0) $kind "" "").items }}
{{- $labels := default dict .metadata.labels }}
{{- $annotations := default dict .metadata.annotations }}
{{- $release := get $annotations "meta.helm.sh/release-name" }}
{{- $namespace := get $annotations "meta.helm.sh/release-namespace" }}
{{- $isPolder := eq (get $labels "app.kubernetes.io/part-of") "polder" }}
{{- if and $isPolder (hasKey $labels "helm.sh/chart") (or (ne $release $.Release.Name) (ne $namespace $.Release.Namespace)) }}
{{- if $release }}
{{- fail (printf "Polder is in this cluster already, as release %s in namespace %s, and one cluster takes one: upgrade that release (helm upgrade %s ... --namespace %s), or uninstall it first" $release $namespace $release $namespace) }}
{{- else }}
{{- fail (printf "Polder is in this cluster already, without Helm (%s %s), and one cluster takes one: delete the objects with the label app.kubernetes.io/part-of=polder first, but keep the CustomResourceDefinitions, or every Domain goes with them" $kind .metadata.name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "polder.checkCrds" -}}
{{- if not .Values.crds.enabled }}
{{- range $path, $_ := .Files.Glob "files/crds/*.yaml" }}
{{- $name := base $path | trimSuffix ".yaml" }}
{{- if not (lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" $name) }}
{{- fail (printf "the CustomResourceDefinition %s is missing: set crds.enabled, or apply those of this version first (polder crds | kubectl apply --server-side -f -)" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
