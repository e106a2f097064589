{{/* What the patcher is told of BuildKit and Trivy. */}}
{{- define "patchgate.patcherArguments" -}}
- --buildkit={{ include "patchgate.buildkitAddress" . }}
{{- if include "patchgate.buildkitClientSecret" . }}
- --buildkit-cacert=/etc/patchgate/buildkit/ca.crt
- --buildkit-cert=/etc/patchgate/buildkit/tls.crt
- --buildkit-key=/etc/patchgate/buildkit/tls.key
{{- end }}
- --docker-config=/etc/patchgate/registry
- --jobs={{ .Values.patcher.jobs }}
- --image-limit-seconds={{ .Values.patcher.imageLimitSeconds }}
- --run-limit-seconds={{ .Values.patcher.runLimitSeconds }}
{{- range .Values.patcher.plainHttp }}
- --plain-http={{ . }}
{{- end }}
{{- range .Values.patcher.registryMirrors }}
- --registry-mirror={{ . }}
{{- end }}
- --trivy-cache=/var/cache/patchgate/trivy
{{- with .Values.patcher.trivy.dbRepository }}
- --db-repository={{ . }}
{{- end }}
{{- with .Values.patcher.trivy.server }}
- --trivy-server={{ . }}
{{- end }}
{{- end -}}
