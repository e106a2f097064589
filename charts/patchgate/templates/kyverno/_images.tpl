{{/*
CEL that reads an object's images where no gate does it: variables `added` (strings that a change adds), `unreadable` (those
that are no reference) and `names` (repository, tag, digest of the others), normalised as far as CEL reaches.

`in` and `exists` over lists are quadratic, and an answer that comes too late is `failurePolicy`'s: so an object of more than
1,000 images is refused as a whole, as the gate does (`tooMany`), and one that had more than 100 is judged as if it were new.
*/}}
{{- define "patchgate.kyverno.images" -}}
{{- range list "object" "oldObject" }}
- name: {{ . }}Pod
  expression: >-
    {{ if eq . "oldObject" }}request.operation != "UPDATE" ? dyn({}) : {{ end }}{{ . }}.kind == "Pod" ? dyn({{ . }}.?spec.orValue({})) :
    {{ . }}.kind == "CronJob" ? dyn({{ . }}.?spec.?jobTemplate.?spec.?template.?spec.orValue({})) :
    dyn({{ . }}.?spec.?template.?spec.orValue({}))
- name: {{ . }}Images
  expression: >-
    (variables.{{ . }}Pod.?containers.orValue([]) + variables.{{ . }}Pod.?initContainers.orValue([]) +
    variables.{{ . }}Pod.?ephemeralContainers.orValue([])).map(each, string(each.?image.orValue(""))) +
    variables.{{ . }}Pod.?volumes.orValue([]).filter(each, has(each.image)).map(each, string(each.image.?reference.orValue("")))
{{- end }}
- name: isDeleting
  expression: >-
    request.operation == "UPDATE" && object.metadata.?deletionTimestamp.hasValue()
- name: tooMany
  expression: >-
    size(variables.objectImages) > 1000 && !variables.isDeleting
- name: added
  expression: >-
    variables.tooMany || variables.isDeleting ? variables.objectImages.filter(each, false) :
    size(variables.oldObjectImages) > 100 ? variables.objectImages :
    variables.objectImages.filter(each, !(each in variables.oldObjectImages))
- name: unreadable
  expression: >-
    variables.added.filter(each, !isImage(each))
- name: names
  expression: >-
    {{- include "patchgate.kyverno.parse" "variables.added.filter(each, isImage(each))" | nindent 4 }}
{{- end -}}

{{/* Repository, tag and digest of each image in a list: Docker Hub under one name, hosts in lower case, :443 left out. */}}
{{- define "patchgate.kyverno.parse" -}}
{{ . }}.map(each,
  {"image": each, "host": ("/" + parseImageReference(each).registry().lowerAscii() + "/").replace(":443/", "/")
     .replace("/index.docker.io/", "/docker.io/").replace("/registry-1.docker.io/", "/docker.io/")
     .replace("/registry.hub.docker.com/", "/docker.io/"),
   "path": parseImageReference(each).repository(), "tag": parseImageReference(each).tag(),
   "digest": each.contains("@") ? parseImageReference(each).digest() : ""}).map(each,
  {"image": each.image, "tag": each.tag, "digest": each.digest, "repository": each.host.substring(1) +
   (each.host == "/docker.io/" && !each.path.contains("/") ? "library/" : "") + each.path})
{{- end -}}
