{{- /*
Pieces that the admission policies share. Their data is on the namespace of each domain, as
annotations that the operator writes: what is here never changes with a domain.
*/ -}}

{{/* Name of the operator's own user. */}}
{{- define "polder.operatorUser" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "polder.serviceAccountName" . }}
{{- end }}

{{/* A list of CEL strings. */}}
{{- define "polder.celList" -}}
[{{ range $index, $item := . }}{{ if $index }}, {{ end }}'{{ $item }}'{{ end }}]
{{- end }}

{{/* Not somebody who breaks the glass: see docs/explanation/admission.md. */}}
{{- define "polder.notBreakGlass" -}}
- name: not-break-glass
  expression: >-
    !('{{ .Values.admissionPolicies.breakGlassGroup }}' in request.userInfo.?groups.orValue([])
    && authorizer.group('polder.dev').resource('domains').check('bypass').allowed())
{{- end }}

{{/* Neither the operator nor somebody who breaks the glass. */}}
{{- define "polder.notOperator" -}}
- name: not-the-operator
  expression: request.userInfo.username != '{{ include "polder.operatorUser" . }}'
{{ include "polder.notBreakGlass" . }}
{{- end }}

{{/* Not one of the system's controllers either. */}}
{{- define "polder.notExempt" -}}
{{ include "polder.notOperator" . }}
- name: not-exempt
  expression: >-
    !(request.userInfo.username in {{ include "polder.celList" .Values.admissionPolicies.exempt.users }})
    && !request.userInfo.?groups.orValue([]).exists(g, g in {{ include "polder.celList" .Values.admissionPolicies.exempt.groups }})
{{- end }}

{{/* A binding; `domains`: in the namespaces of domains only. */}}
{{- define "polder.policyBinding" -}}
{{- $ := .root -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "polder.fullname" $ }}-{{ .name }}
  labels:
    {{- include "polder.labels" $ | nindent 4 }}
spec:
  policyName: {{ include "polder.fullname" $ }}-{{ .name }}
  validationActions: {{ toJson $.Values.admissionPolicies.validationActions }}
  {{- if .domains }}
  matchResources:
    namespaceSelector:
      matchExpressions:
      - {key: polder.dev/domain, operator: Exists}
  {{- end }}
{{- end }}

{{/* The head of a policy. */}}
{{- define "polder.policyHead" -}}
{{- $ := .root -}}
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: {{ include "polder.fullname" $ }}-{{ .name }}
  labels:
    {{- include "polder.labels" $ | nindent 4 }}
{{- end }}

{{/* What several policies read of the namespace. A pattern of an image that is none is dropped. */}}
{{- define "polder.imageVariables" -}}
- name: anyImage
  expression: "variables.ann[?'polder.dev/allowed-images'].orValue('') == '*'"
- name: imageRegexes
  expression: >-
    variables.ann[?'polder.dev/allowed-images'].orValue('').split(',').map(p, p.trim())
    .filter(p, p.matches('^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?/[a-zA-Z0-9._:/@*-]+$'))
    .map(p, '^' + p.replace('.', '[.]').replace('*', '[a-zA-Z0-9._:/@-]*') + '$')
{{- end }}

{{/* Full name with registry, strictly: registry.a/team/../evil/x is not of registry.a/team/. */}}
{{- define "polder.imageGrammar" -}}
^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+(([.]|__?|-+)[a-z0-9]+)*)+(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?(@sha256:[0-9a-f]{64})?$
{{- end }}
