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
