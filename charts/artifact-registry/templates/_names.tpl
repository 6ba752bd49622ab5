{{- define "registry.name" -}}
{{- $name := ternary .Release.Name (printf "%s-%s" .Release.Name .Chart.Name) (contains .Chart.Name .Release.Name) }}
{{- if not (regexMatch "^[a-z]" $name) }}{{ fail (printf "the release %s: a service's name begins with a letter" .Release.Name) }}{{ end }}
{{- $name | replace "." "-" | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "registry.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "registry.selector" . }}
{{- end }}

{{- define "registry.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "registry.image" -}}
{{- $repository := required "image.repository: where the image was pushed" .Values.image.repository }}
{{- if .Values.image.digest }}{{ printf "%s@%s" $repository .Values.image.digest }}
{{- else }}{{ printf "%s:%s" $repository (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "registry.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (include "registry.name" .) }}
{{- end }}

{{- define "registry.migrationServiceAccount" -}}
{{ .Values.migration.serviceAccountName | default (printf "%s-migration" (include "registry.name" .)) }}
{{- end }}

{{- /* A component of the values, such as blobEvents, as names of Kubernetes are spelt. */}}
{{- define "registry.component" -}}
{{ printf "%s-%s" (include "registry.name" (index . 0)) (index . 1 | kebabcase) }}
{{- end }}

{{- /* The name of a queue: of values, and the key of the queue in files/functions.yaml. */}}
{{- define "registry.queueName" -}}
{{ index (index . 0).Values.settings (index . 1).setting }}
{{- end }}
