{{/* Where the patcher and BuildKit may connect to: rules of a NetworkPolicy. */}}

{{/*
Where clouds serve credentials and data of the node to every program that asks: link-local, Azure's 168.63.129.16, Alibaba's
100.100.100.200, the fixed addresses of AWS and Google in IPv6.
*/}}
{{- define "patchgate.metadataRanges" -}}
169.254.0.0/16
168.63.129.16/32
100.100.100.200/32
fe80::/10
fd00:ec2::/32
fd20:ce::/32
{{- end -}}

{{/* A range of IPv4 as NAT64 writes it (RFC 6052, the well-known prefix): "10.0.0.0/8" is 64:ff9b::a00:0/104. */}}
{{- define "patchgate.nat64" -}}
{{- $address := first (splitList "/" .) -}}
{{- $bytes := list -}}
{{- range splitList "." $address -}}{{- $bytes = append $bytes (int .) -}}{{- end -}}
{{- $high := add (mul 256 (index $bytes 0)) (index $bytes 1) -}}
{{- $low := add (mul 256 (index $bytes 2)) (index $bytes 3) -}}
{{- printf "64:ff9b::%x:%x/%d" $high $low (add 96 (int (last (splitList "/" .)))) -}}
{{- end -}}

{{/* Peers: every address but these ranges, in both families, NAT64's too: (list "169.254.0.0/16" …). */}}
{{- define "patchgate.allBut" -}}
{{- $ranges := . -}}
{{- range . -}}
{{- if not (contains ":" .) -}}{{- $ranges = append $ranges (include "patchgate.nat64" .) -}}{{- end -}}
{{- end -}}
{{- $peers := list -}}
{{- range $all, $isOfOther := dict "0.0.0.0/0" "^.*:.*$" "::/0" "^[^:]*$" -}}
{{- $except := list -}}
{{- range uniq $ranges -}}
{{- if not (regexMatch $isOfOther .) -}}{{- $except = append $except . -}}{{- end -}}
{{- end -}}
{{- $peers = append $peers (dict "ipBlock" (dict "cidr" $all "except" $except)) -}}
{{- end -}}
{{- toYaml $peers -}}
{{- end -}}

{{/* Ports over TCP, one rule's: (list 443 6443). */}}
{{- define "patchgate.tcpPorts" -}}
{{- $ports := list -}}
{{- range . -}}{{- $ports = append $ports (dict "port" (int .) "protocol" "TCP") -}}{{- end -}}
{{- toYaml $ports -}}
{{- end -}}

{{/* What both need: names, the addresses of the internet, and what people allow. */}}
{{- define "patchgate.egressForAll" -}}
{{- $egress := .Values.networkPolicy.egress -}}
- ports:
    {{- range $egress.dns.ports }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
  to:
    {{- toYaml $egress.dns.to | nindent 4 }}
- to:
    {{- include "patchgate.allBut" (concat (splitList "\n" (include "patchgate.metadataRanges" .)) $egress.privateRanges) | nindent 4 }}
{{- with $egress.allow }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* What the patcher needs besides: kube-apiserver, BuildKit, a Trivy server, and the identity that a cloud gives it. */}}
{{- define "patchgate.egressOfPatcher" -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- $metadata := splitList "\n" (include "patchgate.metadataRanges" .) -}}
- ports:
    {{- include "patchgate.tcpPorts" $egress.kubeApiServer.ports | nindent 4 }}
  to:
    {{- range $egress.kubeApiServer.cidrs }}
    - ipBlock:
        cidr: {{ . | quote }}
    {{- else }}
    {{- include "patchgate.allBut" $metadata | nindent 4 }}
    {{- end }}
{{- if eq .Values.buildkit.mode "namespace" }}
- ports:
    {{- include "patchgate.tcpPorts" (list 1234) | nindent 4 }}
  to:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ .Values.buildkit.namespace }}
      podSelector:
        matchLabels:
          {{- include "patchgate.selector" (list . "buildkit") | nindent 10 }}
{{- end }}
{{- range $address := list (eq .Values.buildkit.mode "external" | ternary .Values.buildkit.address "") .Values.patcher.trivy.server }}
{{- with regexFind ":[0-9]+$" (trimSuffix "/" $address) }}
- ports: # of {{ $address }}
    {{- include "patchgate.tcpPorts" (list (trimPrefix ":" .)) | nindent 4 }}
  to:
    - namespaceSelector: {}
    {{- include "patchgate.allBut" $metadata | nindent 4 }}
{{- end }}
{{- end }}
{{- if .Values.patcher.cloud.gke.serviceAccount }}
- ports: # GKE's metadata server, which gives the patcher a token of its Google service account
    {{- include "patchgate.tcpPorts" (list 80 988) | nindent 4 }}
  to:
    - ipBlock: {cidr: 169.254.169.252/32}
    - ipBlock: {cidr: 169.254.169.254/32}
{{- end }}
{{- end -}}
