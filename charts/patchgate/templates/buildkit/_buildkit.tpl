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

{{/*
"yes" where BuildKit's Pod has a user namespace of its own (Kubernetes, "User Namespaces"; stable since 1.36, on since 1.33).
`auto` asks the nodes: each that may run it must report the feature, and have Linux 6.3, as tmpfs before that has no idmapped
mounts. Where Helm cannot ask, such as `helm template`, there are no nodes, and it has none.
*/}}
{{- define "patchgate.userNamespace" -}}
{{- $wanted := .Values.buildkit.userNamespace -}}
{{- $known := semverCompare ">=1.33.0-0" .Capabilities.KubeVersion.Version -}}
{{- if kindIs "bool" $wanted -}}
{{- if and $wanted (not $known) -}}
{{- fail "buildkit.userNamespace: Kubernetes has it from 1.33 on; leave it on auto, or say false" -}}
{{- end -}}
{{- $wanted | ternary "yes" "" -}}
{{- else if and $known (not (include "patchgate.cacheIsNetworked" .)) -}}
{{- $able := list -}}
{{- range (lookup "v1" "Node" "" "").items -}}
{{- if include "patchgate.isChosen" (list . $.Values.buildkit.nodeSelector) -}}
{{- $able = append $able (include "patchgate.hasUserNamespaces" .) -}}
{{- end -}}
{{- end -}}
{{- if and $able (not (has "" $able)) -}}yes{{- end -}}
{{- end -}}
{{- end -}}

{{/* "yes" where the sidecar's Pod has a claim too, whose file system, such as NFS, may have no idmapped mounts. */}}
{{- define "patchgate.cacheIsNetworked" -}}
{{- if and (eq .Values.buildkit.mode "sidecar") (eq .Values.patcher.cache.type "pvc") -}}yes{{- end -}}
{{- end -}}

{{/* "yes" where a node has all labels of a nodeSelector, and Linux: (list NODE LABELS). */}}
{{- define "patchgate.isChosen" -}}
{{- $labels := default dict (first .).metadata.labels -}}
{{- $chosen := ne (get $labels "kubernetes.io/os") "windows" -}}
{{- range $key, $value := last . -}}
{{- $chosen = and $chosen (eq (get $labels $key) $value) -}}
{{- end -}}
{{- $chosen | ternary "yes" "" -}}
{{- end -}}

{{/* "yes" where a node's default runtime has user namespaces, and its kernel too. */}}
{{- define "patchgate.hasUserNamespaces" -}}
{{- $supported := false -}}
{{- range .status.runtimeHandlers -}}
{{- if and (not .name) (dig "features" "userNamespaces" false .) -}}
{{- $supported = true -}}
{{- end -}}
{{- end -}}
{{- $kernel := default "0.0" (regexFind "^[0-9]+[.][0-9]+" .status.nodeInfo.kernelVersion) -}}
{{- if and $supported (semverCompare ">=6.3.0" (printf "%s.0" $kernel)) -}}yes{{- end -}}
{{- end -}}

{{/*
Rootless BuildKit makes user namespaces, which the defaults of seccomp and AppArmor forbid, and `newuidmap` fills them
(moby/buildkit, docs/rootless.md). In a user namespace of its own the Pod may have the whole of /proc, so each build step has
processes of its own and cannot signal buildkitd.
*/}}
{{- define "patchgate.buildkitSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
  add: [SETUID, SETGID] # for newuidmap and newgidmap alone
{{- if include "patchgate.userNamespace" . }}
procMount: Unmasked
{{- end }}
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
  {{- if not (include "patchgate.userNamespace" (first .)) }}
  - --oci-worker-no-process-sandbox
  {{- end }}
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
terminationMessagePolicy: FallbackToLogsOnError
securityContext:
  {{- include "patchgate.buildkitSecurity" (first .) | nindent 2 }}
{{- end -}}

{{- define "patchgate.buildkitMounts" -}}
- name: buildkit-config
  mountPath: /etc/buildkit
  readOnly: true
{{- if include "patchgate.userNamespace" . }}
{{- range list "subuid" "subgid" }}
- name: buildkit-ids
  mountPath: /etc/{{ . }}
  subPath: ids
  readOnly: true
{{- end }}
{{- end }}
- name: buildkit-storage
  mountPath: /home/user/.local/share/buildkit
- name: buildkit-scratch
  mountPath: /home/user/.local/tmp
  subPath: tmp
- name: buildkit-scratch
  mountPath: /tmp
  subPath: tmp
- name: buildkit-scratch
  mountPath: /run/user/1000
  subPath: run
{{- end -}}

{{- define "patchgate.buildkitVolumes" -}}
- name: buildkit-config
  configMap:
    name: {{ include "patchgate.buildkitName" . }}
    items:
      - key: buildkitd.toml
        path: buildkitd.toml
{{- if include "patchgate.userNamespace" . }}
- name: buildkit-ids
  configMap:
    name: {{ include "patchgate.buildkitName" . }}
    items:
      - key: ids
        path: ids
{{- end }}
- name: buildkit-storage
  emptyDir:
    sizeLimit: {{ .Values.buildkit.storage }}
- name: buildkit-scratch
  emptyDir:
    sizeLimit: {{ .Values.buildkit.scratch }}
{{- end -}}

{{/* Native: it starts before the patcher, and ends with it, so that the Job does. */}}
{{- define "patchgate.buildkitSidecar" -}}
{{- $socket := "unix:///run/buildkit/buildkitd.sock" -}}
{{ include "patchgate.buildkitContainer" (list . (list (printf "--addr=%s" $socket)) $socket) }}
restartPolicy: Always
volumeMounts:
  - name: buildkit-socket
    mountPath: /run/buildkit
  {{- include "patchgate.buildkitMounts" . | nindent 2 }}
{{- end -}}
