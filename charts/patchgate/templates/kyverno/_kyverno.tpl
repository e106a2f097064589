{{/* What the policies for Kyverno share. */}}

{{/* Where Kyverno asks the gate: (list $ "/v1/decisions"). */}}
{{- define "patchgate.kyverno.url" -}}
{{- $values := (first .).Values -}}
{{- $service := printf "https://%s.%s.svc:%v" (include "patchgate.name" (first .)) (first .).Release.Namespace $values.gate.servicePort -}}
{{ trimSuffix "/" (default $service $values.kyverno.url) }}{{ last . }}
{{- end -}}

{{- define "patchgate.kyverno.excludedNamespaces" -}}
{{- concat (include "patchgate.excludedNamespaces" . | fromJsonArray) .Values.kyverno.excludedNamespaces | uniq | toJson -}}
{{- end -}}

{{/* Of namespaces in mode warn or audit nothing is refused: (list $ "Deny"). */}}
{{- define "patchgate.kyverno.namespaceSelector" -}}
matchExpressions:
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: {{ include "patchgate.kyverno.excludedNamespaces" (first .) }}
  {{- if eq (last .) "Deny" }}
  - key: patchgate.io/mode
    operator: NotIn
    values: [warn, audit]
  {{- end }}
{{- end -}}

{{/* What is judged: Pods, and what makes them, each by its own kind: no rule is made for another by Kyverno. */}}
{{- define "patchgate.kyverno.resourceRules" -}}
- apiGroups: [""]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [pods, pods/ephemeralcontainers, replicationcontrollers]
- apiGroups: [apps]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [daemonsets, deployments, replicasets, statefulsets]
- apiGroups: [batch]
  apiVersions: [v1]
  operations: [CREATE, UPDATE]
  resources: [cronjobs, jobs]
{{- end -}}

{{/* The head of a ValidatingPolicy: (list $ NAME ACTION). */}}
{{- define "patchgate.kyverno.validatingPolicy" -}}
{{- $ := index . 0 -}}
apiVersion: policies.kyverno.io/v1 # Kyverno 1.16: v1beta1
kind: ValidatingPolicy
metadata:
  name: {{ index . 1 }}
  labels:
    {{- include "patchgate.labels" $ | nindent 4 }}
    app.kubernetes.io/component: kyverno
spec:
  validationActions: [{{ index . 2 }}]
  failurePolicy: {{ $.Values.kyverno.failurePolicy }}
  webhookConfiguration:
    timeoutSeconds: {{ $.Values.kyverno.timeoutSeconds }}
  matchConstraints:
    namespaceSelector:
      {{- include "patchgate.kyverno.namespaceSelector" (list $ (index . 2)) | nindent 6 }}
    resourceRules:
      {{- include "patchgate.kyverno.resourceRules" $ | nindent 6 }}
{{- end -}}
