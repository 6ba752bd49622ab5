// A storage account as all of ours are: no keys, no anonymous reading, TLS 1.2 at least.

param name string
param location string
param tags object

// No zone redundancy: such an account has no Archive tier.
@allowed(['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'])
param redundancy string

@description('Whether what is overwritten stays, as a version of its own.')
param keepsVersions bool

@description('For so many days a deleted blob or container can be had back.')
@minValue(1)
@maxValue(365)
param undeleteDays int

@description('Whether services that Azure trusts come through the firewall: Event Grid, by its identity.')
param isReachedByServices bool

@description('Which operations on blobs and tables are logged, each one.')
param loggedOperations array

param workspaceId string

@description('Services that get a private endpoint; none where there is no private network.')
param privateServices array

param endpointSubnetId string
param zoneIds object

var isPrivate = !empty(privateServices)

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: {
    name: redundancy
  }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    isLocalUserEnabled: false
    minimumTlsVersion: 'TLS1_2'
    // Disabled, the firewall would keep Event Grid out as well: it has no private endpoint to come by.
    publicNetworkAccess: isPrivate && !isReachedByServices ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      bypass: isReachedByServices ? 'AzureServices' : 'None'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // Nobody reads a change feed: events tell of changes, and `registry reconcile` of what they did not.
    changeFeed: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: undeleteDays
    }
    deleteRetentionPolicy: {
      enabled: true
      days: undeleteDays
    }
    isVersioningEnabled: keepsVersions
  }
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource tables 'Microsoft.Storage/storageAccounts/tableServices@2024-01-01' = {
  parent: account
  name: 'default'
  properties: {}
}

resource blobLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      for operation in loggedOperations: {
        category: operation
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

// Numbers alone: hosts ask queues all the time, and each message is a deletion.
resource queueLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queues
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

resource tableLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tables
  properties: {
    workspaceId: workspaceId
    logs: [
      for operation in loggedOperations: {
        category: operation
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'Transaction'
        enabled: true
      }
    ]
  }
}

module endpoints 'private-endpoint.bicep' = [
  for service in privateServices: {
    name: '${name}-${service}'
    params: {
      name: '${name}-${service}'
      location: location
      tags: tags
      subnetId: endpointSubnetId
      targetId: account.id
      service: service
      zoneId: zoneIds[service]
    }
  }
]

output blobUri string = account.properties.primaryEndpoints.blob
output queueUri string = account.properties.primaryEndpoints.queue
output tableUri string = account.properties.primaryEndpoints.table
