// One private endpoint, with the name by which the network finds it.

param name string
param location string
param tags object
param subnetId string
param targetId string

@description('What of the target is reached by it.')
@allowed(['blob', 'queue', 'table', 'vault'])
param service string

param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2024-07-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: service
        properties: {
          groupIds: [
            service
          ]
          privateLinkServiceId: targetId
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-07-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: service
        properties: {
          privateDnsZoneId: zoneId
        }
      }
    ]
  }
}
