// PostgreSQL: no passwords, PgBouncer in front, and as many connections as the app may open.

param name string
param location string
param tags object
param databaseName string

@description('PgBouncer is not to be had on burstable servers.')
@allowed(['GeneralPurpose', 'MemoryOptimized'])
param tier string

@allowed([2, 4, 8, 16, 32, 48, 64])
param cores int

@minValue(32)
@maxValue(32767)
param storageGB int

@allowed(['Disabled', 'SameZone', 'ZoneRedundant'])
param highAvailability string

@minValue(7)
@maxValue(35)
param backupDays int

@description('Whether backups are kept in the paired region too; it cannot be changed later.')
param hasGeoBackup bool

@description('Who deploys: a group is best.')
param administratorId string

param administratorName string

@allowed(['User', 'Group', 'ServicePrincipal'])
param administratorType string

@description('Connections that the server opens at most: its own default for its memory.')
param maxConnections int

@description('Of these, what PgBouncer opens for the app at most.')
param pooledConnections int

@description('Connections that instances of the app may hold open to PgBouncer, old and new ones of a deployment.')
param clientConnections int

param workspaceId string
param isPrivate bool
param subnetId string
param zoneIds object

@description('Address from which somebody administers the server, where there is no private network.')
param administratorAddress string

var series = tier == 'GeneralPurpose' ? 'D' : 'E'

// The network cannot be changed once the server is there.
var privateNetwork = {
  delegatedSubnetResourceId: subnetId
  privateDnsZoneArmResourceId: zoneIds.database
}
var publicNetwork = {
  publicNetworkAccess: 'Enabled'
}

var parameters = [
  { name: 'max_connections', value: string(maxConnections) }
  { name: 'require_secure_transport', value: 'on' }
  { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
  { name: 'log_checkpoints', value: 'on' }
  { name: 'pgbouncer.enabled', value: 'true' }
  { name: 'pgbouncer.pool_mode', value: 'transaction' }
  { name: 'pgbouncer.default_pool_size', value: string(pooledConnections) }
  { name: 'pgbouncer.max_client_conn', value: string(clientConnections) }
  // Who waits longer than this for a connection is told so; after two minutes, Azure's own, nobody asks any more.
  { name: 'pgbouncer.query_wait_timeout', value: '20' }
  // The app sends none that PgBouncer does not know; one more would have to be named here.
  { name: 'pgbouncer.ignore_startup_parameters', value: 'extra_float_digits' }
  { name: 'metrics.pgbouncer_diagnostics', value: 'on' }
]

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2024-08-01' = {
  name: name
  location: location
  tags: tags
  sku: {
    name: 'Standard_${series}${cores}ds_v5'
    tier: tier
  }
  properties: {
    version: '16'
    createMode: 'Default'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: {
      storageSizeGB: storageGB
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: backupDays
      geoRedundantBackup: hasGeoBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: {
      mode: highAvailability
    }
    network: isPrivate ? privateNetwork : publicNetwork
  }
}

// The server takes one change at a time: each of these waits for the one before it.
@batchSize(1)
resource settings 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2024-08-01' = [
  for parameter in parameters: {
    parent: server
    name: parameter.name
    properties: {
      source: 'user-override'
      value: parameter.value
    }
  }
]

// Not at once: a server that was made a moment ago is "not accessible" yet for this.
resource administrator 'Microsoft.DBforPostgreSQL/flexibleServers/administrators@2024-08-01' = {
  parent: server
  name: administratorId
  properties: {
    principalName: administratorName
    principalType: administratorType
    tenantId: tenant().tenantId
  }
  dependsOn: [
    settings
  ]
}

// Its owner is the administrator that there is then. Without one it is Azure's own superuser, and nobody could ever give
// a right on it: https://github.com/hashicorp/terraform-provider-azurerm/issues/27895
resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2024-08-01' = {
  parent: server
  name: databaseName
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
  dependsOn: [
    administrator
  ]
}

// Instances of a Function App without a network have no address of their own: this range means Azure itself.
resource azure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01' = if (!isPrivate) {
  parent: server
  name: 'azure'
  properties: {
    startIpAddress: '0.0.0.0'
    endIpAddress: '0.0.0.0'
  }
  dependsOn: [
    database
  ]
}

resource operator 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2024-08-01' = if (!isPrivate && !empty(administratorAddress)) {
  parent: server
  name: 'administrator'
  properties: {
    startIpAddress: administratorAddress
    endIpAddress: administratorAddress
  }
  dependsOn: [
    azure
  ]
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PostgreSQLLogs'
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

output id string = server.id
output host string = server.properties.fullyQualifiedDomainName
