// The vault of the one secret there is, the pepper of API keys. A hook makes it: infra/hooks/postprovision.sh.

param name string
param location string
param tags object
param appPrincipalId string
param pepperName string
param workspaceId string
param isPrivate bool
param endpointSubnetId string
param zoneIds object

// Key Vault Secrets User: reads values of secrets, and changes nothing.
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    // Without its pepper no API key is worth anything again.
    enablePurgeProtection: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    publicNetworkAccess: isPrivate ? 'disabled' : 'enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: isPrivate ? 'Deny' : 'Allow'
    }
  }
}

resource appReadsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, appPrincipalId, secretsUser)
  scope: vault
  properties: {
    principalId: appPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'AuditEvent'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

module endpoint 'private-endpoint.bicep' = if (isPrivate) {
  name: '${name}-vault'
  params: {
    name: '${name}-vault'
    location: location
    tags: tags
    subnetId: endpointSubnetId
    targetId: vault.id
    service: 'vault'
    zoneId: zoneIds.vault
  }
}

output id string = vault.id
output pepperUri string = '${vault.properties.vaultUri}secrets/${pepperName}'
