{{/* BuildKit: where it is, who may ask it, what it runs as. */}}

{{- define "patchgate.buildkitName" -}}
{{ include "patchgate.name" . }}-buildkit
{{- end -}}

{{- define "patchgate.buildkitAddress" -}}
{{- if eq .Values.buildkit.mode "namespace" -}}
tcp://{{ include "patchgate.buildkitName" . }}.{{ .Values.buildkit.namespace }}.svc:1234
{{- else if eq .Values.buildkit.mode "sidecar" -}}
unix:///run/buildkit/buildkitd.sock
{{- else -}}
{{ required "buildkit.address: name yours, tcp://HOST:PORT or unix://PATH" .Values.buildkit.address }}
{{- end -}}
{{- end -}}

{{/* The Secret that the patcher reaches BuildKit with; nothing where it needs none. */}}
{{- define "patchgate.buildkitClientSecret" -}}
{{- if eq .Values.buildkit.mode "namespace" -}}
{{ default (printf "%s-client" (include "patchgate.buildkitName" .)) .Values.buildkit.clientSecret }}
{{- else if eq .Values.buildkit.mode "external" -}}
{{ .Values.buildkit.clientSecret }}
{{- end -}}
{{- end -}}

{{- define "patchgate.buildkitServerSecret" -}}
{{ default (printf "%s-server" (include "patchgate.buildkitName" .)) .Values.buildkit.serverSecret }}
{{- end -}}

{{- define "patchgate.buildkitConfig" -}}
[worker.oci]
  gc = true
  maxUsedSpace = "{{ .Values.buildkit.keptStorage }}"
{{- range .Values.buildkit.registries }}

[registry.{{ .host | toJson }}]
  {{- with .mirrors }}
  mirrors = {{ toJson . }}
  {{- end }}
  {{- if .http }}
  http = true
  {{- end }}
{{- end }}
{{- end -}}

{{/* Rootless BuildKit makes user namespaces, which seccomp's and AppArmor's defaults forbid (moby/buildkit, docs/rootless.md). */}}
{{- define "patchgate.buildkitSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
seccompProfile:
  type: Unconfined
appArmorProfile:
  type: Unconfined
{{- end -}}

{{/* A container of buildkitd: (list $ ADDRESSES SOCKET). */}}
{{- define "patchgate.buildkitContainer" -}}
{{- $buildkit := (first .).Values.buildkit -}}
name: buildkitd
image: {{ include "patchgate.image" (list (first .) $buildkit.image) }}
imagePullPolicy: {{ $buildkit.image.pullPolicy }}
args:
  - --config=/etc/buildkit/buildkitd.toml
  - --oci-worker-no-process-sandbox
  {{- range index . 1 }}
  - {{ . }}
  {{- end }}
startupProbe:
  exec:
    command: [buildctl, --addr, {{ last . }}, debug, workers]
  periodSeconds: 1
  timeoutSeconds: 5
  failureThreshold: 60
resources:
  {{- toYaml $buildkit.resources | nindent 2 }}
securityContext:
  {{- include "patchgate.buildkitSecurity" . | nindent 2 }}
{{- end -}}

{{/* Native: it starts before the patcher, and ends with it, so that the Job does. */}}
{{- define "patchgate.buildkitSidecar" -}}
{{- $socket := "unix:///run/buildkit/buildkitd.sock" -}}
{{ include "patchgate.buildkitContainer" (list . (list (printf "--addr=%s" $socket)) $socket) }}
restartPolicy: Always
volumeMounts:
  - name: buildkit-socket
    mountPath: /run/buildkit
  - name: buildkit-config
    mountPath: /etc/buildkit
    readOnly: true
  - name: buildkit-storage
    mountPath: /home/user/.local/share/buildkit
{{- end -}}
