// What somebody is told of. What each means, and what to do then: docs/operations.md.

param prefix string
param location string
param tags object
param workspaceId string
param databaseId string
param topicId string

@description('Who is told; empty for nobody, and then alerts are seen in the portal only.')
param email string

@description('Connections that the database opens at most.')
param maxConnections int

// The timer measure_depths writes these lines once a minute: shared/services/depths.py.
var depths = '''
AppTraces
| where Message startswith "depth measured: of="
| extend what = extract(@"of=(\S+)", 1, Message)
| extend messages = tolong(extract(@"messages=(\d+)", 1, Message))
| extend oldest = tolong(extract(@"oldest_seconds=(\d+)", 1, Message))
'''

// Lines come minutes late: looked for in the last ten, no look finds none.
var logAlerts = [
  {
    name: 'set-aside'
    meaning: 'Messages were set aside: nothing comes of them until somebody replays or dismisses them.'
    severity: 2
    query: '${depths}| where what == "set-aside" | project TimeGenerated, what, value = messages'
    aggregation: 'Maximum'
    hasDimension: false
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT10M'
    badLooks: 1
  }
  {
    name: 'poison'
    meaning: 'A poison queue is not drained: the timer that sets its messages aside fails.'
    severity: 1
    query: '${depths}| where what endswith "-poison" | project TimeGenerated, what, value = messages'
    aggregation: 'Maximum'
    hasDimension: true
    operator: 'GreaterThan'
    threshold: 0
    window: 'PT10M'
    badLooks: 3
  }
  {
    name: 'queue-age'
    meaning: 'A message waits for more than a quarter of an hour: functions fail, or there are too few instances.'
    severity: 2
    query: '${depths}| where what !endswith "-poison" and what !in ("set-aside", "audit-trail") | project TimeGenerated, what, value = oldest'
    aggregation: 'Maximum'
    hasDimension: true
    operator: 'GreaterThan'
    threshold: 900
    window: 'PT10M'
    badLooks: 2
  }
  {
    name: 'audit-lag'
    meaning: 'The audit trail lags behind by more than a quarter of an hour: its account does not take events.'
    severity: 2
    query: '${depths}| where what == "audit-trail" | project TimeGenerated, what, value = oldest'
    aggregation: 'Maximum'
    hasDimension: false
    operator: 'GreaterThan'
    threshold: 900
    window: 'PT10M'
    badLooks: 2
  }
  {
    name: 'silence'
    meaning: 'Nothing measured depths for a quarter of an hour: timers do not run, and no other alert can be trusted.'
    severity: 1
    query: depths
    aggregation: 'Count'
    hasDimension: false
    operator: 'LessThan'
    threshold: 1
    window: 'PT15M'
    badLooks: 1
  }
  {
    name: 'http-5xx'
    meaning: 'More than ten requests in five minutes were answered with 5xx.'
    severity: 1
    // Of more than a few requests a second some are kept, and each says how many it stands for.
    query: 'AppRequests | where ResultCode startswith "5" | project TimeGenerated, value = ItemCount'
    aggregation: 'Total'
    hasDimension: false
    operator: 'GreaterThan'
    threshold: 10
    window: 'PT5M'
    badLooks: 1
  }
]

var databaseMetrics = 'Microsoft.DBforPostgreSQL/flexibleServers'
var eventMetrics = 'Microsoft.EventGrid/systemTopics'

var metricAlerts = [
  {
    name: 'database-connections'
    meaning: 'More than four fifths of the connections that the database may open are open.'
    severity: 2
    targetId: databaseId
    metricNamespace: databaseMetrics
    metricName: 'active_connections'
    aggregation: 'Maximum'
    threshold: maxConnections * 4 / 5
  }
  {
    name: 'database-storage'
    meaning: 'The database has used four fifths of its storage.'
    severity: 1
    targetId: databaseId
    metricNamespace: databaseMetrics
    metricName: 'storage_percent'
    aggregation: 'Maximum'
    threshold: 80
  }
  {
    name: 'database-cpu'
    meaning: 'The database has been busy for a quarter of an hour.'
    severity: 3
    targetId: databaseId
    metricNamespace: databaseMetrics
    metricName: 'cpu_percent'
    aggregation: 'Average'
    threshold: 85
  }
  {
    name: 'events-given-up'
    meaning: 'Event Grid gave events up: they are in the container of dead letters.'
    severity: 1
    targetId: topicId
    metricNamespace: eventMetrics
    metricName: 'DeadLetteredCount'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'events-lost'
    meaning: 'Event Grid dropped events, which are nowhere: `registry reconcile` finds what they told of.'
    severity: 1
    targetId: topicId
    metricNamespace: eventMetrics
    metricName: 'DroppedEventCount'
    aggregation: 'Total'
    threshold: 0
  }
  {
    name: 'events-undelivered'
    meaning: 'Event Grid fails to deliver, and tries again for a day.'
    severity: 2
    targetId: topicId
    metricNamespace: eventMetrics
    metricName: 'DeliveryAttemptFailCount'
    aggregation: 'Total'
    threshold: 10
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: '${prefix}-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'registry'
    emailReceivers: empty(email) ? [] : [
      {
        name: 'operators'
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

module logRules 'log-alert.bicep' = [
  for alert in logAlerts: {
    name: 'alert-${alert.name}'
    params: {
      name: '${prefix}-${alert.name}'
      location: location
      tags: tags
      meaning: alert.meaning
      severity: alert.severity
      query: alert.query
      aggregation: alert.aggregation
      hasDimension: alert.hasDimension
      operator: alert.operator
      threshold: alert.threshold
      window: alert.window
      badLooks: alert.badLooks
      workspaceId: workspaceId
      actionGroupId: operators.id
    }
  }
]

module metricRules 'metric-alert.bicep' = [
  for alert in metricAlerts: {
    name: 'alert-${alert.name}'
    params: {
      name: '${prefix}-${alert.name}'
      tags: tags
      meaning: alert.meaning
      severity: alert.severity
      targetId: alert.targetId
      metricNamespace: alert.metricNamespace
      metricName: alert.metricName
      aggregation: alert.aggregation
      threshold: alert.threshold
      actionGroupId: operators.id
    }
  }
]
