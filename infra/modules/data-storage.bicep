// The account of uploads and queues.

param name string
param location string
param tags object

@allowed(['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'])
param redundancy string

@minValue(1)
@maxValue(365)
param undeleteDays int

param uploadContainer string
param deadLetterContainer string

@description('Each gets a queue of poisoned messages beside it.')
param queueNames array

param appPrincipalId string

@description('The custom role that may do with bytes what the registry does.')
param bytesRoleId string

param workspaceId string
param isPrivate bool
param endpointSubnetId string
param zoneIds object

// Storage Queue Data Contributor: the host takes, sends and deletes messages, and asks how many there are.
var queueDataContributor = '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
var poisonQueueNames = [for queue in queueNames: '${queue}-poison']

module account 'storage-account.bicep' = {
  name: '${name}-account'
  params: {
    name: name
    location: location
    tags: tags
    redundancy: redundancy
    // An artifact points at the version that was hashed. No rule of the account's own tidies versions away: what no
    // artifact needs any more, policies purge.
    keepsVersions: true
    undeleteDays: undeleteDays
    isReachedByServices: true
    loggedOperations: ['StorageDelete']
    workspaceId: workspaceId
    privateServices: isPrivate ? ['blob', 'queue', 'table'] : []
    endpointSubnetId: endpointSubnetId
    zoneIds: zoneIds
  }
}

resource made 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: name
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2024-01-01' existing = {
  parent: made
  name: 'default'
}

resource containers 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = [
  for container in [uploadContainer, deadLetterContainer]: {
    parent: blobs
    name: container
    properties: {
      publicAccess: 'None'
    }
    dependsOn: [
      account
    ]
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2024-01-01' existing = {
  parent: made
  name: 'default'
}

resource queues 'Microsoft.Storage/storageAccounts/queueServices/queues@2024-01-01' = [
  for queue in concat(queueNames, poisonQueueNames): {
    parent: queueService
    name: queue
    dependsOn: [
      account
    ]
  }
]

resource appUsesBytes 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(made.id, appPrincipalId, bytesRoleId)
  scope: made
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: bytesRoleId
  }
  dependsOn: [
    account
  ]
}

resource appUsesQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(made.id, appPrincipalId, queueDataContributor)
  scope: made
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', queueDataContributor)
  }
  dependsOn: [
    account
  ]
}

output blobUri string = account.outputs.blobUri
output queueUri string = account.outputs.queueUri
output tableUri string = account.outputs.tableUri
