{{/* Short name of everything. */}}
{{- define "polder.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* Full name of the release. ClusterRoles carry it as prefix: 40 characters leave room for roles. */}}
{{- define "polder.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "polder.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "polder.selectorLabels" -}}
app.kubernetes.io/name: {{ include "polder.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "polder.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "polder.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: polder
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Of the pod that `helm test` runs. */}}
{{- define "polder.checkLabels" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: check
app.kubernetes.io/part-of: polder
{{- end }}

{{/* Labels and annotations of an object: what follows may add labels. */}}
{{- define "polder.meta" -}}
{{- include "polder.metadata" (dict "root" . "annotations" dict) }}
{{- end }}

{{/* The same for what running workloads need: it outlives the release, as the CRDs do. */}}
{{- define "polder.keptMeta" -}}
{{- include "polder.metadata" (dict "root" . "annotations" (include "polder.keep" . | fromYaml)) }}
{{- end }}

{{- define "polder.metadata" -}}
{{- with merge (deepCopy .annotations) .root.Values.commonAnnotations -}}
annotations:
  {{- toYaml . | nindent 2 }}
{{ end -}}
labels:
  {{- include "polder.labels" .root | nindent 2 }}
{{- end }}

{{- define "polder.keep" -}}
{{- if .Values.crds.keep }}
helm.sh/resource-policy: keep
{{- end }}
{{- end }}

{{/* The operator's image. */}}
{{- define "polder.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{- define "polder.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "polder.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "serviceAccount.name: give the name of the service account, or set serviceAccount.create" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Roles of members, as kinds/domain binds them. */}}
{{- define "polder.memberRoles" -}}
admin engineer analyst auditor
{{- end }}

{{/* ClusterRoles that the operator may bind in namespaces, and no other. */}}
{{- define "polder.bindableRoles" -}}
{{- $fullname := include "polder.fullname" . -}}
- {{ $fullname }}-operator-domain
- {{ $fullname }}-spark-driver
{{- range splitList " " (include "polder.memberRoles" .) }}
- {{ $fullname }}-domain-{{ . }}
{{- end }}
{{- end }}
