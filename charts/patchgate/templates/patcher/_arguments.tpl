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
{{- /* A shard each: Trivy writes a database over the one that another is reading (a shared claim). */}}
- --trivy-cache=/var/cache/patchgate/trivy{{ if gt (int .Values.patcher.shards) 1 }}-$(JOB_COMPLETION_INDEX){{ end }}
{{- with .Values.patcher.trivy.dbRepository }}
- --db-repository={{ . }}
{{- end }}
{{- with .Values.patcher.trivy.server }}
- --trivy-server={{ . }}
{{- end }}
{{- end -}}
