// The registry's own settings, all that shared/settings.py reads: tests/infra/test_app_settings.py compares them.

param identityName string
param identityClientId string
param databaseHost string
param databaseName string
param poolSize int
param dataBlobUri string
param dataQueueUri string
param dataTableUri string
param auditBlobUri string
param auditTableUri string
param pepperUri string
param uploadContainer string
param sealContainer string
param exportContainer string

@description('Names of the queues, by what they are for.')
param queues object

@description('Further storage accounts whose blobs may be registered. Their owner lets the app\'s identity read them.')
param moreAccounts array

@description('Application (client) id whose bearer tokens are believed; empty for API keys alone.')
param tokenAudience string

@description('So many whole months the audit trail is kept beside the present one; empty for all.')
param auditKeepMonths string

@minValue(1)
@maxValue(36500)
param auditMinimumDays int

@description('Other settings of the registry than the template makes, and other values for those that it does.')
param others object

var login = environment().authentication.loginEndpoint
var storageSuffix = environment().suffixes.storage

var moreUris = [for account in moreAccounts: 'https://${account}.blob.${storageSuffix}']

var made = {
  REGISTRY_AUDIT_EARLIER_KEYS: '[]'
  REGISTRY_AUDIT_EXPORT_CONTAINER: exportContainer
  REGISTRY_AUDIT_KEEP_MONTHS: auditKeepMonths
  REGISTRY_AUDIT_MINIMUM_DAYS: string(auditMinimumDays)
  REGISTRY_AUDIT_QUEUE: queues.audit
  REGISTRY_AUDIT_READS: 'false'
  REGISTRY_AUDIT_SEAL_CONTAINER: sealContainer
  REGISTRY_AUDIT_SIGNING_KEY: '' // made of the pepper
  REGISTRY_AUDIT_STORAGE__blobServiceUri: auditBlobUri
  REGISTRY_AUDIT_STORAGE__tableServiceUri: auditTableUri
  REGISTRY_AUDIT_TABLE: 'AuditTrail'
  REGISTRY_BLOB_EVENTS_QUEUE: queues.blobEvents
  REGISTRY_BLOB_TRIGGER_SOURCE: 'EventGrid'
  REGISTRY_DATABASE_IDENTITY: 'true'
  REGISTRY_DATABASE_POOL_SIZE: string(poolSize)
  REGISTRY_DATABASE_TIMEOUT_SECONDS: '10'
  REGISTRY_DATABASE_URL: 'postgresql://${identityName}@${databaseHost}:6432/${databaseName}?sslmode=verify-full'
  REGISTRY_HASHING_QUEUE: queues.hashing
  REGISTRY_KEY_PEPPER: '@Microsoft.KeyVault(SecretUri=${pepperUri})'
  REGISTRY_MORE_STORAGE: string(moreUris)
  REGISTRY_POLICY_ACTIONS_QUEUE: queues.policyActions
  REGISTRY_POLICY_SCHEDULE: '0 10 * * * *'
  REGISTRY_REGISTRATIONS_QUEUE: queues.registrations
  REGISTRY_SCRUB_BYTES_PER_DAY: '1099511627776'
  REGISTRY_SCRUB_DAYS: '30'
  REGISTRY_STORAGE__blobServiceUri: dataBlobUri
  REGISTRY_STORAGE__clientId: identityClientId // for the Functions host, like the next
  REGISTRY_STORAGE__credential: 'managedidentity'
  REGISTRY_STORAGE__queueServiceUri: dataQueueUri
  REGISTRY_STORAGE__tableServiceUri: dataTableUri
  REGISTRY_TABLE_SOURCES: '{}'
  REGISTRY_TOKEN_AUDIENCE: tokenAudience
  REGISTRY_TOKEN_ISSUER: empty(tokenAudience) ? '' : '${login}${tenant().tenantId}/v2.0'
  REGISTRY_TOKEN_JWKS_URL: empty(tokenAudience) ? '' : '${login}${tenant().tenantId}/discovery/v2.0/keys'
  REGISTRY_UPLOAD_CONTAINER: uploadContainer
}

output settings object = union(made, others)
