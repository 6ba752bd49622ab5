// The account of the audit trail: tables that are only added to, and containers whose blobs stay as they are.

param name string
param location string
param tags object

@allowed(['Standard_LRS', 'Standard_GRS', 'Standard_RAGRS'])
param redundancy string

param sealContainer string
param exportContainer string

@description('For so many days nobody changes or deletes a seal or an export, whoever it is.')
@minValue(1)
@maxValue(146000)
param immutableDays int

@description('Whether the policies were locked: one that is cannot be made again.')
param immutabilityIsLocked bool

param appPrincipalId string

@description('The custom role that adds to the trail.')
param trailRoleId string

@description('The custom role that drops months of the trail.')
param trailMonthsRoleId string

@description('Whether the app has that role as well.')
param dropsMonths bool

param workspaceId string
param isPrivate bool
param endpointSubnetId string
param zoneIds object

module account 'storage-account.bicep' = {
  name: '${name}-account'
  params: {
    name: name
    location: location
    tags: tags
    redundancy: redundancy
    keepsVersions: false
    undeleteDays: 90
    isReachedByServices: false
    // Whoever looks at the trail or touches it is told of, the app included.
    loggedOperations: ['StorageRead', 'StorageWrite', 'StorageDelete']
    workspaceId: workspaceId
    privateServices: isPrivate ? ['blob', 'table'] : []
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

resource seals 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: sealContainer
  properties: {
    publicAccess: 'None'
  }
  dependsOn: [
    account
  ]
}

resource exports 'Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01' = {
  parent: blobs
  name: exportContainer
  properties: {
    publicAccess: 'None'
  }
  dependsOn: [
    account
  ]
}

// A policy is made unlocked: who may write policies can still shorten it. Locked, nobody can, and the account cannot
// be deleted before its time; so that is done by hand, once the days are right: infra/README.md.
resource sealsStay 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = if (!immutabilityIsLocked) {
  parent: seals
  name: 'default'
  properties: {
    allowProtectedAppendWrites: false
    immutabilityPeriodSinceCreationInDays: immutableDays
  }
}

resource exportsStay 'Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies@2024-01-01' = if (!immutabilityIsLocked) {
  parent: exports
  name: 'default'
  properties: {
    allowProtectedAppendWrites: false
    immutabilityPeriodSinceCreationInDays: immutableDays
  }
}

resource appAddsToTrail 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(made.id, appPrincipalId, trailRoleId)
  scope: made
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: trailRoleId
  }
  dependsOn: [
    account
  ]
}

resource appDropsMonths 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (dropsMonths) {
  name: guid(made.id, appPrincipalId, trailMonthsRoleId)
  scope: made
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: trailMonthsRoleId
  }
  dependsOn: [
    account
  ]
}

output blobUri string = account.outputs.blobUri
output tableUri string = account.outputs.tableUri
