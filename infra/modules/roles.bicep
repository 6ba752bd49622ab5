// Roles that do not exist ready-made: what the registry does with bytes and with the audit trail, and no more.

@description('Tells these roles from those of other environments: names of roles are unique in a tenant.')
param suffix string

var storage = 'Microsoft.Storage/storageAccounts'
var blobs = '${storage}/blobServices/containers/blobs'
var tables = '${storage}/tableServices/tables'

// Storage Blob Data Contributor can neither read tags nor delete a version; Storage Blob Data Owner can do anything.
resource bytes 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'registry-bytes')
  properties: {
    roleName: 'Artifact Registry Bytes ${suffix}'
    description: 'Read, write and delete blobs and their versions, read their tags and list containers.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          '${storage}/blobServices/containers/read' // asked by /api/health/ready
        ]
        dataActions: [
          '${blobs}/read'
          '${blobs}/tags/read'
          '${blobs}/write'
          '${blobs}/add/action'
          '${blobs}/delete'
          '${blobs}/deleteBlobVersion/action'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

// Events are added and never changed: there is no write, no update and no delete of entities in it.
resource trail 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'registry-trail')
  properties: {
    roleName: 'Artifact Registry Audit Trail ${suffix}'
    description: 'Add to the audit trail, and read it. Nothing of it can be changed or deleted.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          '${storage}/blobServices/containers/read'
          '${tables}/read'
          '${tables}/write' // a table a month; to write a table is to make it
        ]
        dataActions: [
          '${tables}/entities/read'
          '${tables}/entities/add/action'
          '${blobs}/read'
          '${blobs}/add/action'
          '${blobs}/write' // a large export is written in blocks; the containers' policies keep what is there
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

// Given only where months that were exported are to go: docs/audit-retention.md.
resource trailMonths 'Microsoft.Authorization/roleDefinitions@2022-04-01' = {
  name: guid(resourceGroup().id, 'registry-trail-months')
  properties: {
    roleName: 'Artifact Registry Audit Months ${suffix}'
    description: 'Delete tables of the audit trail, each a month.'
    type: 'CustomRole'
    permissions: [
      {
        actions: [
          '${tables}/delete'
        ]
      }
    ]
    assignableScopes: [
      resourceGroup().id
    ]
  }
}

output bytesRoleId string = bytes.id
output trailRoleId string = trail.id
output trailMonthsRoleId string = trailMonths.id
