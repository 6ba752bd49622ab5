// The whole registry in one resource group. `azd up` deploys it: README.md.
targetScope = 'subscription'

@description('Name of the environment; every name is made of it.')
@minLength(1)
@maxLength(40)
param environmentName string

@minLength(1)
param location string

@description('Whether everything is reached by private addresses alone, but for the API itself. Not to be changed later.')
param isPrivate bool = true

@description('Address range of the private network, at least a /22.')
param networkPrefix string = '10.64.0.0/22'

@description('Object id of who administers the database: a group is best.')
param administratorId string

@description('Name of the same, which is its name in the database too.')
param administratorName string

@allowed(['User', 'Group', 'ServicePrincipal'])
param administratorType string = 'User'

@description('Address from which the database is administered, where there is no private network.')
param administratorAddress string = ''

@description('Copies of uploads and of the audit trail. With zone redundancy there would be no Archive tier.')
@allowed(['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'])
param redundancy string = 'Standard_GRS'

@description('For so many days what was deleted or purged from the store of uploads can be had back.')
@minValue(1)
@maxValue(365)
param undeleteDays int = 14

@allowed(['GeneralPurpose', 'MemoryOptimized'])
param databaseTier string = 'GeneralPurpose'

@allowed([2, 4, 8, 16, 32, 48, 64])
param databaseCores int = 2

@minValue(32)
@maxValue(32767)
param databaseStorageGB int = 128

@allowed(['Disabled', 'SameZone', 'ZoneRedundant'])
param databaseHighAvailability string = 'Disabled'

@minValue(7)
@maxValue(35)
param databaseBackupDays int = 14

@description('Whether backups of the database are kept in the paired region too. Not to be changed later.')
param hasDatabaseGeoBackup bool = true

@description('Instances of each group of functions: of what is over HTTP, and of each queue\'s.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 10

@allowed([2048, 4096])
param instanceMemoryMB int = 2048

@description('Instances that always wait for requests over HTTP, and cost while they do.')
@minValue(0)
@maxValue(20)
param alwaysReadyCount int = 0

@description('Requests that an instance answers at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Connections to the database that an instance opens at most, where there are enough for all of them.')
@minValue(1)
@maxValue(200)
param poolSize int = 8

@description('Application (client) id whose bearer tokens are believed; empty for API keys alone.')
param tokenAudience string = ''

@description('Further storage accounts whose blobs may be registered.')
param moreAccounts array = []

@description('So many whole months the audit trail is kept beside the present one; empty for all.')
param auditKeepMonths string = ''

@description('No month of the audit trail goes before its last event is so old.')
@minValue(1)
@maxValue(36500)
param auditMinimumDays int = 365

@description('Whether the app may drop months of the audit trail that were exported.')
param dropsAuditMonths bool = false

@description('For so many days nobody changes or deletes a seal or an export of the audit trail.')
@minValue(1)
@maxValue(146000)
param immutableDays int = 2555

@description('Whether these policies were locked by hand, since when nobody may make them again, nor the template.')
param immutabilityIsLocked bool = false

@description('Who is told of alerts; empty for nobody.')
param alertEmail string = ''

@description('For so many days logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 90

@description('Other settings of the registry: names of app settings and their values.')
param otherSettings object = {}

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var databaseName = 'registry'
var databaseServerName = 'psql-${token}'
var dataAccountName = 'stdata${token}'
var pepperName = 'key-pepper'
var uploadContainer = 'uploads'
var deadLetterContainer = 'event-dead-letters'
var sealContainer = 'audit-seals'
var exportContainer = 'audit-exports'
var queues = {
  audit: 'audit-relay'
  blobEvents: 'blob-events'
  hashing: 'artifact-hashing'
  policyActions: 'policy-actions'
  registrations: 'artifact-registrations'
}
var queueNames = [for queue in items(queues): queue.value]

// What PostgreSQL on Azure opens by default for its memory, of which it keeps 15 for itself; we keep 35 more, for who
// migrates, operates and watches. All instances together never open more than the rest, not even without PgBouncer.
var gigabytesPerCore = databaseTier == 'GeneralPurpose' ? 4 : 8
var memory = string(databaseCores * gigabytesPerCore)
var connectionsOfMemory = { '8': 859, '16': 1718, '32': 3437 }
var maxConnections = connectionsOfMemory[?memory] ?? 5000
var appConnections = maxConnections - 50
// Beside its pool an instance has two connections for look-ups over HTTP.
var lookupConnections = 2
// Flex Consumption scales apart what is over HTTP, beside the instances that are always ready, and each other function:
// its limit is that of each such group (https://github.com/Azure/azure-rest-api-specs/pull/45083). A timer needs one.
var timerFunctions = 11
var groups = 1 + length(queues)
var most = appConnections / (lookupConnections + 1)
var instanceCount = min(maximumInstanceCount, (most - timerFunctions - alwaysReadyCount) / groups)
var allInstances = instanceCount * groups + timerFunctions + alwaysReadyCount
var instancePoolSize = min(poolSize, appConnections / allInstances - lookupConnections)
var clientConnections = allInstances * (instancePoolSize + lookupConnections)
// More than this at work at once only makes each slower.
var pooledConnections = min(appConnections, databaseCores * 25)

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: 'id-registry-${token}'
    location: location
    tags: tags
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    suffix: token
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: 'log-${token}'
    insightsName: 'appi-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    keptDays: logDays
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  scope: group
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: networkPrefix
    databaseServerName: databaseServerName
  }
}

var noZones = { blob: '', queue: '', table: '', vault: '', database: '' }
var zoneIds = isPrivate ? network!.outputs.zoneIds : noZones
var endpointSubnetId = isPrivate ? network!.outputs.endpointSubnetId : ''

module hostStorage 'modules/host-storage.bicep' = {
  name: 'host-storage'
  scope: group
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    endpointSubnetId: endpointSubnetId
    zoneIds: zoneIds
  }
}

module dataStorage 'modules/data-storage.bicep' = {
  name: 'data-storage'
  scope: group
  params: {
    name: dataAccountName
    location: location
    tags: tags
    redundancy: redundancy
    undeleteDays: undeleteDays
    uploadContainer: uploadContainer
    deadLetterContainer: deadLetterContainer
    queueNames: queueNames
    appPrincipalId: identity.outputs.principalId
    bytesRoleId: roles.outputs.bytesRoleId
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    endpointSubnetId: endpointSubnetId
    zoneIds: zoneIds
  }
}

module auditStorage 'modules/audit-storage.bicep' = {
  name: 'audit-storage'
  scope: group
  params: {
    name: 'staudit${token}'
    location: location
    tags: tags
    redundancy: redundancy
    sealContainer: sealContainer
    exportContainer: exportContainer
    immutableDays: immutableDays
    immutabilityIsLocked: immutabilityIsLocked
    appPrincipalId: identity.outputs.principalId
    trailRoleId: roles.outputs.trailRoleId
    trailMonthsRoleId: roles.outputs.trailMonthsRoleId
    dropsMonths: dropsAuditMonths
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    endpointSubnetId: endpointSubnetId
    zoneIds: zoneIds
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    appPrincipalId: identity.outputs.principalId
    pepperName: pepperName
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    endpointSubnetId: endpointSubnetId
    zoneIds: zoneIds
  }
}

module postgres 'modules/postgres.bicep' = {
  name: 'postgres'
  scope: group
  params: {
    name: databaseServerName
    location: location
    tags: tags
    databaseName: databaseName
    tier: databaseTier
    cores: databaseCores
    storageGB: databaseStorageGB
    highAvailability: databaseHighAvailability
    backupDays: databaseBackupDays
    hasGeoBackup: hasDatabaseGeoBackup
    administratorId: administratorId
    administratorName: administratorName
    administratorType: administratorType
    maxConnections: maxConnections
    pooledConnections: pooledConnections
    // During a deployment the instances of before are still there.
    clientConnections: clientConnections * 2
    workspaceId: monitoring.outputs.workspaceId
    isPrivate: isPrivate
    subnetId: isPrivate ? network!.outputs.databaseSubnetId : ''
    zoneIds: zoneIds
    administratorAddress: administratorAddress
  }
}

module events 'modules/events.bicep' = {
  name: 'events'
  scope: group
  params: {
    name: 'evgt-${token}'
    location: location
    tags: tags
    storageAccountName: dataAccountName
    queueName: queues.blobEvents
    deadLetterContainer: deadLetterContainer
    subjectPrefix: '/blobServices/default/containers/${uploadContainer}/'
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [
    dataStorage
  ]
}

module appSettings 'modules/app-settings.bicep' = {
  name: 'app-settings'
  scope: group
  params: {
    identityName: identity.outputs.name
    identityClientId: identity.outputs.clientId
    databaseHost: postgres.outputs.host
    databaseName: databaseName
    poolSize: instancePoolSize
    dataBlobUri: dataStorage.outputs.blobUri
    dataQueueUri: dataStorage.outputs.queueUri
    dataTableUri: dataStorage.outputs.tableUri
    auditBlobUri: auditStorage.outputs.blobUri
    auditTableUri: auditStorage.outputs.tableUri
    pepperUri: vault.outputs.pepperUri
    uploadContainer: uploadContainer
    sealContainer: sealContainer
    exportContainer: exportContainer
    queues: queues
    moreAccounts: moreAccounts
    tokenAudience: tokenAudience
    auditKeepMonths: auditKeepMonths
    auditMinimumDays: auditMinimumDays
    others: otherSettings
  }
}

module app 'modules/app.bicep' = {
  name: 'app'
  scope: group
  params: {
    name: 'func-${token}'
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    registrySettings: appSettings.outputs.settings
    hostBlobUri: hostStorage.outputs.blobUri
    packageUri: hostStorage.outputs.packageUri
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    subnetId: isPrivate ? network!.outputs.appSubnetId : ''
    maximumInstanceCount: instanceCount
    instanceMemoryMB: instanceMemoryMB
    alwaysReadyCount: alwaysReadyCount
    httpConcurrency: httpConcurrency
    threadCount: instancePoolSize
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    prefix: environmentName
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    databaseId: postgres.outputs.id
    topicId: events.outputs.topicId
    email: alertEmail
    maxConnections: maxConnections
  }
}

// What the hooks need: azd hands these to them as variables of the environment.
output AZURE_RESOURCE_GROUP string = group.name
output REGISTRY_ADMINISTRATOR_NAME string = administratorName
output REGISTRY_API_URL string = app.outputs.uri
output REGISTRY_APP_ID string = app.outputs.id
output REGISTRY_DATABASE_HOST string = postgres.outputs.host
output REGISTRY_DATABASE_NAME string = databaseName
output REGISTRY_IDENTITY_NAME string = identity.outputs.name
output REGISTRY_IDENTITY_OBJECT_ID string = identity.outputs.principalId
output REGISTRY_PEPPER_NAME string = pepperName
output REGISTRY_STORAGE_ACCOUNT string = dataAccountName
output REGISTRY_VAULT_ID string = vault.outputs.id
