{{- define "phi.name" -}}
{{- .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* At most 40 characters, so that every suffix fits into a label. */}}
{{- define "phi.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end }}

{{/* Cluster-scoped objects of two releases of one name in two namespaces must not meet. */}}
{{- define "phi.clustername" -}}
{{- printf "%s-%s" .Release.Namespace (include "phi.fullname" .) -}}
{{- end }}

{{- define "phi.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: phi-orchestrator
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{ include "phi.selector" . }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* What never changes over upgrades. */}}
{{- define "phi.selector" -}}
app.kubernetes.io/name: {{ include "phi.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "phi.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "phi.trainerImage" -}}
{{- with .Values.trainer.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default (printf "%s-cuda" $.Chart.AppVersion) }}
{{- end -}}
{{- end -}}
{{- end }}

{{/* (dict "root" $ "part" "operator"): the part's service account. */}}
{{- define "phi.account" -}}
{{- $values := (index .root.Values .part).serviceAccount -}}
{{- $values.name | default (printf "%s-%s" (include "phi.fullname" .root) .part) -}}
{{- end }}

{{/* The level "restricted" of the Pod Security Standards. */}}
{{- define "phi.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "phi.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
runAsNonRoot: true
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "phi.telemetrySecret" -}}
{{- if .Values.postgres.enabled -}}
{{- .Values.postgres.existingSecret | default (printf "%s-postgres" (include "phi.fullname" .)) -}}
{{- else -}}
{{- .Values.telemetry.existingSecret -}}
{{- end -}}
{{- end }}

{{- define "phi.telemetryUrl" -}}
{{- if .Values.postgres.enabled -}}
postgresql://phi@{{ include "phi.fullname" . }}-postgres.{{ .Release.Namespace }}.svc:5432/phi
{{- else -}}
{{- required "telemetry.url is empty: name a PostgreSQL database, such as postgresql://phi@db.example:5432/phi?sslmode=verify-full, or set postgres.enabled=true" .Values.telemetry.url -}}
{{- end -}}
{{- end }}

{{/* The database, and the password by reference alone. */}}
{{- define "phi.telemetryEnv" -}}
- name: PHI_TELEMETRY
  value: {{ include "phi.telemetryUrl" . | quote }}
{{- with include "phi.telemetrySecret" . }}
- name: PGPASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: {{ $.Values.telemetry.passwordKey }}
{{- end }}
{{- end }}

{{/* Variables of every container that runs phi; its file system is read-only but for /tmp. */}}
{{- define "phi.env" -}}
- name: HOME
  value: /tmp
- name: DOTNET_EnableDiagnostics
  value: "0"
{{ include "phi.telemetryEnv" . }}
{{- end }}

{{- define "phi.mounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.telemetry.caSecret }}
- name: telemetry-ca
  mountPath: /etc/phi/telemetry-ca
  readOnly: true
{{- end }}
{{- end }}

{{- define "phi.volumes" -}}
- name: tmp
  emptyDir: {sizeLimit: 256Mi}
{{- with .Values.telemetry.caSecret }}
- name: telemetry-ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}

{{- define "phi.migrate" -}}
- name: migrate
  image: {{ include "phi.image" . }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  command: [phi, telemetry, migrate, --wait, {{ .Values.migration.wait | quote }}]
  env:
    {{- include "phi.env" . | nindent 4 }}
  securityContext:
    {{- include "phi.containerSecurity" . | nindent 4 }}
  resources:
    {{- toYaml .Values.migration.resources | nindent 4 }}
  volumeMounts:
    {{- include "phi.mounts" . | nindent 4 }}
{{- end }}

{{/* (dict "root" $ "part" "operator"): what the pods of both Deployments share. */}}
{{- define "phi.podSpread" -}}
{{- $selector := printf "%s\napp.kubernetes.io/component: %s" (include "phi.selector" .root) .part -}}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- $selector | nindent 14 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: topology.kubernetes.io/zone
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- $selector | nindent 8 }}
{{- end }}

{{/* (dict "root" $ "priority" NAME) */}}
{{- define "phi.podPlacement" -}}
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priority }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* A generated password: once there it stays, also over an upgrade. (dict "root" $ "name" NAME "key" KEY "given" VALUE) */}}
{{- define "phi.password" -}}
{{- if .given -}}
{{- .given | b64enc -}}
{{- else -}}
{{- $there := lookup "v1" "Secret" .root.Release.Namespace .name -}}
{{- if and $there (hasKey ($there.data | default dict) .key) -}}
{{- index $there.data .key -}}
{{- else -}}
{{- randAlphaNum 32 | b64enc -}}
{{- end -}}
{{- end -}}
{{- end }}
