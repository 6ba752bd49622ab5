// The Function App on Flex Consumption: one app, whose functions scale apart.

param name string
param planName string
param location string
param tags object
param identityId string
param identityClientId string

@description('App settings of the registry itself, which app-settings.bicep makes.')
param registrySettings object

param hostBlobUri string
param packageUri string
param insightsConnectionString string

@description('The subnet that it goes out by; empty where there is no private network.')
param subnetId string

@minValue(1)
@maxValue(1000)
param maximumInstanceCount int

@allowed([2048, 4096])
param instanceMemoryMB int

@description('Instances that always wait for requests over HTTP, and cost while they do; 0 for none.')
@minValue(0)
@maxValue(20)
param alwaysReadyCount int

@description('Requests that an instance answers at a time. Flex Consumption gives Python one unless it is told.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int

@description('Threads of the language worker: as many as there are connections to the database.')
param threadCount int

// What Flex Consumption reads from functionAppConfig is not repeated here, and the settings that it has given up
// (FUNCTIONS_EXTENSION_VERSION, FUNCTIONS_WORKER_RUNTIME, WEBSITE_RUN_FROM_PACKAGE, WEBSITE_CONTENTSHARE, ...) are not
// set at all.
var hostSettings = {
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  AzureWebJobsStorage__blobServiceUri: hostBlobUri
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsStorage__credential: 'managedidentity'
  // Event Grid puts notices on the queue itself.
  'AzureWebJobs.blob_uploaded.Disabled': 'true'
  AZURE_CLIENT_ID: identityClientId
  AZURE_TOKEN_CREDENTIALS: 'prod'
  PYTHON_ISOLATE_WORKER_DEPENDENCIES: '1'
  PYTHON_THREADPOOL_THREAD_COUNT: string(threadCount)
}

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: name
  location: location
  // azd finds the app by this tag: azure.yaml.
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.11'
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReadyCount == 0 ? [] : [
          {
            name: 'http'
            instanceCount: alwaysReadyCount
          }
        ]
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: {
            perInstanceConcurrency: httpConcurrency
          }
        }
      }
    }
    // No ftpsState: Flex Consumption has no FTP, and refuses the property (error 51021), like most of siteConfig.
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
    }
  }
}

resource settings 'Microsoft.Web/sites/config@2024-11-01' = {
  parent: app
  name: 'appsettings'
  properties: union(hostSettings, registrySettings)
}

// Who deploys has a token: nobody publishes with a user name and a password.
resource ftpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource publishingPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

output id string = app.id
output uri string = 'https://${app.properties.defaultHostName}'
