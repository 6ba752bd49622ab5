{{- define "registry.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "registry.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: {{ .Values.readOnlyRootFilesystem }}
capabilities:
  drop: [ALL]
{{- end }}

{{- /* What every pod has, whatever runs in it: (root, name of the service account). */}}
{{- define "registry.podSpec" -}}
{{- $root := index . 0 }}
serviceAccountName: {{ index . 1 | quote }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- include "registry.podSecurity" $root | nindent 2 }}
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: tmp
    emptyDir: {}
{{- end }}

{{- define "registry.probe" -}}
httpGet:
  path: /api/health/{{ . }}
  port: http
timeoutSeconds: 5
{{- end }}

{{- /*
A deployment of some of the functions, and of `health`. Takes a dict: root, component, functions,
resources; replicas, where nobody else counts them; batchSize, where they take messages.
*/}}
{{- define "registry.deployment" -}}
{{- $root := .root }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "registry.component" (list $root .component) }}
  labels: {{- include "registry.labels" $root | nindent 4 }}
    app.kubernetes.io/component: {{ .component | kebabcase }}
spec:
  {{- with .replicas }}
  replicas: {{ . }}
  {{- end }}
  selector:
    matchLabels: {{- include "registry.selector" $root | nindent 6 }}
      app.kubernetes.io/component: {{ .component | kebabcase }}
  strategy:
    rollingUpdate: { maxSurge: 1, maxUnavailable: 0 }
  template:
    metadata:
      labels: {{- include "registry.labels" $root | nindent 8 }}
        app.kubernetes.io/component: {{ .component | kebabcase }}
        {{- if $root.Values.identity.clientId }}
        azure.workload.identity/use: "true"
        {{- end }}
      annotations: # pods read their settings once
        checksum/settings: {{ include "registry.settings" $root | sha256sum }}
    spec: {{- include "registry.podSpec" (list $root (include "registry.serviceAccount" $root)) | nindent 6 }}
      terminationGracePeriodSeconds: {{ $root.Values.terminationGraceSeconds }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "registry.selector" $root | nindent 14 }}
              app.kubernetes.io/component: {{ .component | kebabcase }}
      containers:
        - name: host
          image: {{ include "registry.image" $root | quote }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          securityContext: {{- include "registry.containerSecurity" $root | nindent 12 }}
          ports:
            - name: http
              containerPort: 8080
          {{- if eq .component "api" }}
          lifecycle: # some are still sent here while the cluster spreads the word
            preStop:
              sleep: { seconds: 5 }
          {{- end }}
          envFrom:
            - configMapRef:
                name: {{ include "registry.name" $root }}
          env:
            {{- range $index, $function := append .functions "health" }}
            - name: AzureFunctionsJobHost__functions__{{ $index }}
              value: {{ $function }}
            {{- end }}
            {{- with .batchSize }}
            - name: AzureFunctionsJobHost__extensions__queues__batchSize
              value: {{ . | quote }}
            {{- end }}
            {{- include "registry.secrets" $root | nindent 12 }}
          startupProbe: {{- include "registry.probe" "live" | nindent 12 }}
            periodSeconds: 5
            failureThreshold: 60
          livenessProbe: {{- include "registry.probe" "live" | nindent 12 }}
            periodSeconds: 20
            failureThreshold: 6
          readinessProbe: {{- include "registry.probe" "ready" | nindent 12 }}
            periodSeconds: 20
            failureThreshold: 2
          resources: {{- toYaml .resources | nindent 12 }}
          volumeMounts:
            - name: tmp
              mountPath: /tmp
{{- end }}
