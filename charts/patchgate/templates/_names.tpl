{{/* Names and labels of objects. */}}

{{- define "patchgate.name" -}}
{{- default .Release.Name .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "patchgate.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/name: patchgate
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/part-of: patchgate
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What a Service, a Deployment and a policy find Pods by: (list $ "gate"). */}}
{{- define "patchgate.selector" -}}
app.kubernetes.io/name: patchgate
app.kubernetes.io/instance: {{ (first .).Release.Name }}
app.kubernetes.io/component: {{ last . }}
{{- end -}}

{{/* Labels of Pods: without versions, which would have every Pod replaced at each upgrade. */}}
{{- define "patchgate.podLabels" -}}
{{ include "patchgate.selector" . }}
{{- with (first .).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* REPOSITORY:TAG, with @DIGEST where there is one: (list $ .Values.gate.image). */}}
{{- define "patchgate.image" -}}
{{- $image := last . -}}
{{ $image.repository }}:{{ default (first .).Chart.AppVersion $image.tag }}{{ with $image.digest }}@{{ . }}{{ end }}
{{- end -}}

{{- define "patchgate.certificateSecret" -}}
{{- if eq .Values.certificates.mode "secret" -}}
{{ required "certificates.secret.name: name the Secret with tls.crt, tls.key and ca.crt" .Values.certificates.secret.name }}
{{- else if eq .Values.certificates.mode "cert-manager" -}}
{{ include "patchgate.name" . }}-cert-manager
{{- else -}}
{{ include "patchgate.name" . }}-certificate
{{- end -}}
{{- end -}}

{{/* The names of a Service, a line each: (list "name" "namespace"). */}}
{{- define "patchgate.serviceNames" -}}
{{ first . }}.{{ last . }}.svc
{{ first . }}.{{ last . }}.svc.cluster.local
{{ first . }}.{{ last . }}
{{ first . }}
{{- end -}}

{{/* The ConfigMaps of records, a line each. */}}
{{- define "patchgate.recordNames" -}}
copa-patched-digests
{{- range $number := untilStep 1 (int (add1 .Values.recordConfigMaps)) 1 }}
copa-patched-digests-{{ $number }}
{{- end }}
{{- end -}}
