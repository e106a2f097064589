{{/* Namespaces that no webhook matches: ours and BuildKit's, so that they come back alone, and the cluster's own. */}}
{{- define "patchgate.excludedNamespaces" -}}
{{- $names := list .Release.Namespace "kube-system" "kube-public" "kube-node-lease" "kyverno" -}}
{{- if and .Values.patcher.enabled (eq .Values.buildkit.mode "namespace") -}}
{{- $names = append $names .Values.buildkit.namespace -}}
{{- end -}}
{{- concat $names .Values.webhook.excludedNamespaces | uniq | toJson -}}
{{- end -}}

{{/* CEL that reads the images of a Pod which may lack any of it: "object" or "oldObject". */}}
{{- define "patchgate.imagesOf" -}}
{{- $object := . -}}
{{- $lists := list -}}
{{- range list "containers" "initContainers" "ephemeralContainers" -}}
{{- $lists = append $lists (printf "%s.?spec.?%s.orValue([]).map(each, each.?image.orValue(''))" $object .) -}}
{{- end -}}
{{- join " + " $lists -}}
{{- end -}}

{{/*
The webhooks, which the gate puts into the configuration once it is ready.

matchConditions spare it what it would allow unseen; each is null-safe, as one that fails refuses the request under Fail.
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
    - name: adds-an-image
      expression: >-
        request.operation != 'UPDATE' || request.kind.kind != 'Pod'
        || !({{ include "patchgate.imagesOf" "object" }}).all(image, image in
        ({{ include "patchgate.imagesOf" "oldObject" }}))
    {{- with $.Values.webhook.matchConditions }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}
{{- end -}}
