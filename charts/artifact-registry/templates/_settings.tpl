{{- /* The addresses of an account's services, as the Functions host and the app read them. */}}
{{- define "registry.storage" -}}
{{- $given := . }}
{{- range .services }}
{{ $given.variable }}__{{ . }}ServiceUri: {{ include "registry.service" (list $given.account . $given.cloud) }}
{{- end }}
{{- end }}

{{- define "registry.service" -}}
{{- $suffix := get (dict "AzurePublicCloud" "core.windows.net" "AzureUSGovernmentCloud" "core.usgovcloudapi.net" "AzureChinaCloud" "core.chinacloudapi.cn") (index . 2) -}}
https://{{ index . 0 }}.{{ index . 1 }}.{{ $suffix }}
{{- end }}

{{- /* The address of a database: (place among the values, address, cloud). A schema would show it. */}}
{{- define "registry.databaseUrl" -}}
{{- $place := index . 0 }}
{{- $url := required (printf "%s: where the database is, or a secret that says so" $place) (index . 1) }}
{{- if not (regexMatch "^postgresql://[^:/?#@\\s]+@[^@\\s]+$" $url) }}{{ fail (printf "%s: postgresql://ROLE@HOST:PORT/DATABASE, without a password" $place) }}{{ end }}
{{- if ne (index . 2) "AzurePublicCloud" }}{{ fail (printf "%s: the app's tokens open databases of AzurePublicCloud alone; name a secret with a password" $place) }}{{ end }}
{{- if regexMatch "[?&]password=" $url }}{{ fail (printf "%s: a password is a secret" $place) }}{{ end }}
{{- $url | quote }}
{{- end }}

{{- /* All that a pod is told and is no secret, but for the functions that it runs. */}}
{{- define "registry.settings" -}}
{{- $values := .Values }}
{{- /* Without it each pod is a host of its own, and each timer runs in each of them. */}}
{{- $name := include "registry.name" . }}
AzureFunctionsWebHost__hostid: {{ printf "%s-%s" ($name | trunc 23 | trimSuffix "-") (printf "%s/%s" .Release.Namespace $name | sha256sum | trunc 8) }}
PYTHON_THREADPOOL_THREAD_COUNT: {{ $values.database.poolSize | quote }}
REGISTRY_DATABASE_POOL_SIZE: {{ $values.database.poolSize | quote }}
REGISTRY_BLOB_TRIGGER_SOURCE: LogsAndContainerScan
{{- /* For requests; five seconds of the pod's time go to `preStop`, as many to what comes after. */}}
ASPNETCORE_SHUTDOWNTIMEOUTSECONDS: {{ sub $values.terminationGraceSeconds 10 | quote }}
{{- if not (hasKey $values.secrets "REGISTRY_DATABASE_URL") }}
REGISTRY_DATABASE_URL: {{ include "registry.databaseUrl" (list "database.url" $values.database.url (ternary $values.cloud "AzurePublicCloud" (not (empty $values.identity.clientId)))) }}
REGISTRY_DATABASE_IDENTITY: {{ ternary "true" "false" (not (empty $values.identity.clientId)) | quote }}
{{- end }}
{{- with $values.identity.clientId }}
AZURE_TOKEN_CREDENTIALS: prod
{{- range $variable, $account := dict "AzureWebJobsStorage" "host" "REGISTRY_STORAGE" "data" }}
{{- if not (hasKey $values.secrets $variable) }}
{{- $name := required (printf "storage.%s: the name of an account" $account) (get $values.storage $account) }}
{{- include "registry.storage" (dict "variable" $variable "account" $name "services" (list "blob" "queue" "table") "cloud" $values.cloud) }}
{{ $variable }}__credential: workloadidentity
{{ $variable }}__clientId: {{ $.Values.identity.clientId }}
{{- end }}
{{- end }}
{{- if and $values.storage.audit (not (hasKey $values.secrets "REGISTRY_AUDIT_STORAGE")) }}
{{- include "registry.storage" (dict "variable" "REGISTRY_AUDIT_STORAGE" "account" $values.storage.audit "services" (list "blob" "table") "cloud" $values.cloud) }}
{{- end }}
{{- with $values.storage.more }}
{{- $uris := list }}
{{- range . }}{{ $uris = append $uris (include "registry.service" (list . "blob" $values.cloud)) }}{{ end }}
REGISTRY_MORE_STORAGE: {{ $uris | toJson | quote }}
{{- end }}
{{- end }}
{{- range $name, $value := merge (dict) $values.settings $values.env }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Secrets, by reference: never a value of one in what is rendered. */}}
{{- define "registry.secrets" -}}
{{- $given := .Values.secrets }}
{{- $needed := list "REGISTRY_KEY_PEPPER" }}
{{- if not .Values.identity.clientId }}{{ $needed = concat $needed (list "AzureWebJobsStorage" "REGISTRY_STORAGE") }}{{ end }}
{{- range $needed }}
{{- if not (hasKey $given .) }}{{ fail (printf "secrets.%s: the name and the key of the secret that holds it" .) }}{{ end }}
{{- end }}
{{- range $name, $secret := $given }}
- name: {{ $name }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret.name | quote }}
      key: {{ $secret.key | quote }}
{{- end }}
{{- end }}

{{- /*
Pods, at most, with the one more that an upgrade starts of each deployment, and what each holds of
the database: more than it takes, and all of them fail.
*/}}
{{- define "registry.checkConnections" -}}
{{- $api := .Values.api.replicas }}
{{- if .Values.api.autoscaling.enabled }}{{ $api = max $api .Values.api.autoscaling.maxReplicas }}{{ end }}
{{- $pods := add $api .Values.timers.replicas }}
{{- range .Values.workers }}{{ $pods = add $pods (max 1 .minReplicas (ternary .maxReplicas 0 $.Values.keda.enabled)) }}{{ end }}
{{- $pods = add $pods 2 (len .Values.workers) }}
{{- $wanted := mul $pods (add .Values.database.poolSize 2) }}
{{- if gt $wanted (int64 .Values.database.connections) }}
{{- fail (printf "%d pods, those that an upgrade adds included, of database.poolSize %d and two more want %d connections, and database.connections is %d" $pods (int64 .Values.database.poolSize) $wanted (int64 .Values.database.connections)) }}
{{- end }}
{{- end }}
