// The Functions host's own account: the deployed package, leases and state of timers.

param name string
param location string
param tags object
param appPrincipalId string
param workspaceId string
param isPrivate bool
param endpointSubnetId string
param zoneIds object

// Storage Blob Data Owner: what Microsoft documents for a host's own account.
var blobDataOwner = 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
var packageContainer = 'app-package'

module account 'storage-account.bicep' = {
  name: '${name}-account'
  params: {
    name: name
    location: location
    tags: tags
    redundancy: 'Standard_LRS'
    keepsVersions: false
    undeleteDays: 7
    isReachedByServices: false
    loggedOperations: ['StorageDelete']
    workspaceId: workspaceId
    // Timers and packages are blobs. A queue or a table the host needs for triggers that we do not have.
    privateServices: isPrivate ? ['blob'] : []
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

resource packages 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: packageContainer
  properties: {
    publicAccess: 'None'
  }
  dependsOn: [
    account
  ]
}

resource appOwnsBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(made.id, appPrincipalId, blobDataOwner)
  scope: made
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataOwner)
  }
  dependsOn: [
    account
  ]
}

output blobUri string = account.outputs.blobUri
output packageUri string = '${account.outputs.blobUri}${packageContainer}'
