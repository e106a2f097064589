{{/*
Namespaces that no webhook matches: the cluster's own three, ours and BuildKit's, and those that the installer names. No other
is built in: a namespace that does not exist yet belongs to the first user who may create it.
*/}}
{{- define "patchgate.excludedNamespaces" -}}
{{- $names := list .Release.Namespace "kube-system" "kube-public" "kube-node-lease" -}}
{{- if and .Values.patcher.enabled (eq .Values.buildkit.mode "namespace") -}}
{{- $names = append $names .Values.buildkit.namespace -}}
{{- end -}}
{{- concat $names .Values.webhook.excludedNamespaces | uniq | toJson -}}
{{- end -}}

{{/*
The webhooks, which the gate puts into the configuration once it is ready.

matchConditions spare the gate what it would allow unseen. One that fails is itself a decision: under Ignore the gate is never
asked, under Fail the request is refused. So each is null-safe, and its cost does not grow with what a Pod holds: `!=` of two
lists costs a tenth of their length in CEL's budget of 1,000,000 (k8s.io/apiserver, pkg/apis/cel/config.go), and a Pod of 3 MiB
holds fewer than 100,000 containers. `map`, `filter`, `all`, `exists` and `in` over lists have no place here.
*/}}
{{- define "patchgate.webhooks" -}}
{{- $label := "patchgate.io/mode" -}}
{{- $modes := list "enforce" "warn" "audit" -}}
{{- range $mode := $modes }}
- name: {{ $mode }}.patchgate.io
  clientConfig:
    service:
      name: {{ include "patchgate.name" $ }}
      namespace: {{ $.Release.Namespace }}
      port: {{ $.Values.gate.servicePort }}
      path: /validate/{{ $mode }}
  failurePolicy: {{ eq $mode "enforce" | ternary $.Values.webhook.failurePolicy "Ignore" }}
  timeoutSeconds: {{ $.Values.webhook.timeoutSeconds }}
  matchPolicy: Equivalent
  sideEffects: None
  admissionReviewVersions: [v1]
  namespaceSelector:
    matchExpressions:
      - key: kubernetes.io/metadata.name
        operator: NotIn
        values: {{ include "patchgate.excludedNamespaces" $ }}
      - key: {{ $label }}
        {{- if eq $mode $.Values.webhook.defaultMode }}
        operator: NotIn
        values: {{ without $modes $mode | toJson }}
        {{- else }}
        operator: In
        values: [{{ $mode }}]
        {{- end }}
  rules:
    - apiGroups: [""]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [pods, pods/ephemeralcontainers, replicationcontrollers]
      scope: Namespaced
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [daemonsets, deployments, replicasets, statefulsets]
      scope: Namespaced
    - apiGroups: [batch]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [cronjobs, jobs]
      scope: Namespaced
  matchConditions:
    - name: not-deleting
      expression: object == null || !has(object.metadata.deletionTimestamp)
    - name: changes-containers
      expression: >-
        request.operation != 'UPDATE' || request.kind.kind != 'Pod'
        {{- range list "containers" "initContainers" "ephemeralContainers" }}
        || object.?spec.?{{ . }} != oldObject.?spec.?{{ . }}
        {{- end }}
    {{- with $.Values.webhook.matchConditions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}

{{/* The webhooks as the ConfigMap has them, byte for byte: the gate is given the checksum. */}}
{{- define "patchgate.webhooksText" -}}
{{- include "patchgate.webhooks" . | trim -}}
{{- end -}}
