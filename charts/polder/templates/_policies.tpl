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

{{/*
Whom and what a policy looks at, as one condition: all conditions of a policy are evaluated for each
request, and most requests are the operator's own, which the first words settle. `exempt`: not the
system's controllers either. `and`: what else must hold.
Those who break the glass: see docs/explanation/admission.md.
*/}}
{{- define "polder.matchCondition" -}}
{{- $ := .root -}}
- name: {{ .name | default "by-others" }}
  expression: >-
    request.userInfo.username != '{{ include "polder.operatorUser" $ }}'
    {{- if .exempt }}
    && !(request.userInfo.username in {{ include "polder.celList" $.Values.admissionPolicies.exempt.users }})
    && !request.userInfo.?groups.orValue([]).exists(g, g in {{ include "polder.celList" $.Values.admissionPolicies.exempt.groups }})
    {{- end }}
    {{- range .and }}
    && ({{ . | trim }})
    {{- end }}
    && !('{{ $.Values.admissionPolicies.breakGlassGroup }}' in request.userInfo.?groups.orValue([])
    && authorizer.group('polder.dev').resource('domains').check('bypass').allowed())
{{- end }}

{{/* What to do instead of changing an object of the operator's: a CEL string. */}}
{{- define "polder.handsOff" -}}
': made by Polder, which alone changes and deletes it; change the '
+ oldObject.metadata.?labels[?'app.kubernetes.io/name'].orValue('workload') + ' '
+ oldObject.metadata.?labels[?'app.kubernetes.io/instance'].orValue('') + ' instead'
{{- end }}

{{/* The operator's own requests. */}}
{{- define "polder.byOperator" -}}
- name: by-the-operator
  expression: request.userInfo.username == '{{ include "polder.operatorUser" . }}'
{{- end }}

{{/* A binding; `domains`: in the namespaces of domains only. */}}
{{- define "polder.policyBinding" -}}
{{- $ := .root -}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: {{ include "polder.fullname" $ }}-{{ .name }}
  {{- include "polder.meta" $ | nindent 2 }}
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
  {{- include "polder.meta" $ | nindent 2 }}
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
