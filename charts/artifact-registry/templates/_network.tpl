{{- /* Where pods may go. A migration has it before there is anything else of the release. */}}
{{- define "registry.egress" -}}
- ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
# Anywhere, for storage and Entra have no fixed addresses; but never the node's own identity.
- to:
    - ipBlock:
        cidr: 0.0.0.0/0
        except: [169.254.169.254/32]
  ports:
    - { protocol: TCP, port: 443 }
    - { protocol: TCP, port: 5432 }
    - { protocol: TCP, port: 6432 }
{{- with .Values.networkPolicy.egress }}
{{ toYaml . }}
{{- end }}
{{- end }}
