// One alert on what the log says.

param name string
param location string
param tags object
param meaning string

@description('0 is the gravest.')
@minValue(0)
@maxValue(4)
param severity int

@description('Gives a column `value` where that is looked at, and `what` where it tells several things apart.')
param query string

@description('The greatest value, the sum of all, or the number of rows.')
@allowed(['Maximum', 'Total', 'Count'])
param aggregation string

param hasDimension bool

@allowed(['GreaterThan', 'LessThan'])
param operator string

param threshold int

@description('How long it looks back, as ISO 8601 has it.')
param window string

@description('Of the last looks so many have to be bad.')
@minValue(1)
@maxValue(6)
param badLooks int

param workspaceId string
param actionGroupId string

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: name
    description: meaning
    enabled: true
    severity: severity
    scopes: [
      workspaceId
    ]
    evaluationFrequency: 'PT5M'
    windowSize: window
    autoMitigate: true
    skipQueryValidation: true // a new workspace does not know the tables that the query asks
    criteria: {
      allOf: [
        {
          query: query
          // Rows are counted where there are none, too: then their number is 0, and no column would have a value.
          metricMeasureColumn: aggregation == 'Count' ? null : 'value'
          timeAggregation: aggregation
          dimensions: hasDimension ? [
            {
              name: 'what'
              operator: 'Include'
              values: [
                '*'
              ]
            }
          ] : []
          operator: operator
          threshold: threshold
          failingPeriods: {
            minFailingPeriodsToAlert: badLooks
            numberOfEvaluationPeriods: badLooks
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        actionGroupId
      ]
    }
  }
}
