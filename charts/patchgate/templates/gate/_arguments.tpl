{{/* What the gate is given about its certificate, the webhooks that ask it, and their callers. */}}
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
{{- if .Values.webhook.clientCA.secret }}
- --client-ca=/etc/patchgate/client-ca/ca.crt
- --client-auth={{ .Values.webhook.clientCA.auth }}
{{- range .Values.webhook.clientCA.names }}
- --client-name={{ . }}
{{- end }}
{{- end }}
{{- end -}}
