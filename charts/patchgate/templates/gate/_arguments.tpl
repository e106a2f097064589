{{/* What the gate is told of its certificate, and of the webhooks that ask it. */}}
{{- define "patchgate.certificateArguments" -}}
- --service-name={{ include "patchgate.name" . }}
- --tls-secret={{ include "patchgate.certificateSecret" . }}
{{- if eq .Values.certificates.mode "self" }}
- --issue-certificates
- --leaf-days={{ .Values.certificates.days }}
- --ca-days={{ .Values.certificates.caDays }}
{{- end }}
- --webhook-configuration={{ include "patchgate.name" . }}
- --webhooks={{ include "patchgate.name" . }}-webhooks
- --webhooks-sha256={{ include "patchgate.webhooksText" . | sha256sum }}
{{- end -}}
