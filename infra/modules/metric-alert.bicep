// One alert on a metric that Azure measures itself.

param name string
param tags object
param meaning string

@minValue(0)
@maxValue(4)
param severity int

param targetId string
param metricNamespace string
param metricName string

@allowed(['Average', 'Maximum', 'Total'])
param aggregation string

param threshold int
param actionGroupId string

resource rule 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: name
  location: 'global'
  tags: tags
  properties: {
    description: meaning
    enabled: true
    severity: severity
    scopes: [
      targetId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: metricName
          metricNamespace: metricNamespace
          metricName: metricName
          timeAggregation: aggregation
          operator: 'GreaterThan'
          threshold: threshold
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroupId
      }
    ]
  }
}
