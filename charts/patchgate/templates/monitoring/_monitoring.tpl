{{/* Whether an object for somebody else's operator is made: (list $ .Values.monitoring.dashboard.enabled). */}}
{{- define "patchgate.isMonitored" -}}
{{- $enabled := last . -}}
{{- if kindIs "bool" $enabled -}}
{{- $enabled | ternary "yes" "" -}}
{{- else -}}
{{- (first .).Capabilities.APIVersions.Has "monitoring.coreos.com/v1/ServiceMonitor" | ternary "yes" "" -}}
{{- end -}}
{{- end -}}

{{/* files/alerts.yaml with what is this release's own; in an order in which nothing put in is replaced again. */}}
{{- define "patchgate.alerts" -}}
{{- $days := eq .Values.certificates.mode "secret" | ternary 90 .Values.certificates.days -}}
{{- .Files.Get "files/alerts.yaml"
  | replace "namespace=\"copa-system\"" (printf "namespace=%q" .Release.Namespace)
  | replace "1296000" (toString (div (mul $days 86400) 6))
  | replace "21600" (toString (int64 .Values.patcher.periodSeconds))
  | replace "43200s" (printf "%ds" (mul 2 .Values.patcher.periodSeconds))
  | replace "https://github.com/patchgate/patchgate/blob/main/docs/operations.md" .Values.monitoring.alerts.runbookUrl -}}
{{- end -}}

{{/* Names of the alerts that are left out: what this release has nothing of, and what people do not want. */}}
{{- define "patchgate.alertsLeftOut" -}}
{{- $names := .Values.monitoring.alerts.leaveOut -}}
{{- if or (not .Values.patcher.enabled) .Values.patcher.suspend -}}
{{- $names = concat $names (list "PatchgatePatchRunOverdue" "PatchgatePatchSuccessOverdue" "PatchgatePatchJobFailed") -}}
{{- end -}}
{{- if ne .Values.webhook.defaultMode "enforce" -}}
{{- $names = append $names "PatchgateNotEnforced" -}}
{{- end -}}
{{- toJson $names -}}
{{- end -}}
