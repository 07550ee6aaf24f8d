# Charts in the order of a write: from the client to the last effect.
locals {
  charts = [
    { title = "Requests and errors", stat = "Sum", metrics = [
      ["AWS/ApiGateway", "Count", "ApiName", local.api.ApiName, "Stage", local.api.Stage],
      ["AWS/ApiGateway", "4XXError", "ApiName", local.api.ApiName, "Stage", local.api.Stage],
      ["AWS/ApiGateway", "5XXError", "ApiName", local.api.ApiName, "Stage", local.api.Stage],
    ] },
    { title = "Latency, p95", stat = "p95", metrics = [
      ["AWS/ApiGateway", "Latency", "ApiName", local.api.ApiName, "Stage", local.api.Stage],
      ["AWS/ApiGateway", "IntegrationLatency", "ApiName", local.api.ApiName, "Stage", local.api.Stage],
    ] },
    { title = "Errors of functions", stat = "Sum", metrics = [
      for name in values(local.function_names) : ["AWS/Lambda", "Errors", "FunctionName", name]
    ] },
    { title = "Duration of functions, p95", stat = "p95", metrics = [
      for name in values(local.function_names) : ["AWS/Lambda", "Duration", "FunctionName", name]
    ] },
    { title = "Age of the oldest message", stat = "Maximum", metrics = [
      for name in keys(local.queues) : ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "bbws-product-${name}-${local.env}"]
    ] },
    { title = "Waiting messages and dead letters", stat = "Maximum", metrics = [
      for pair in setproduct(keys(local.queues), ["", "-dlq"]) :
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "bbws-product-${join("", pair)}-${local.env}"]
    ] },
    { title = "Table: capacity and throttling", stat = "Sum", metrics = [
      for metric in ["ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"] :
      ["AWS/DynamoDB", metric, "TableName", local.table.TableName]
    ] },
    { title = "Concurrent executions in the account", stat = "Maximum", metrics = [["AWS/Lambda", "ConcurrentExecutions"]] },
    { title = "Seconds until an effect is done, p95", stat = "p95", metrics = [
      for effect in ["stored", "purged", "searchable", "audited"] :
      ["BBWS/Products", "EffectLatency", "Environment", local.env, "Effect", effect]
    ] },
    { title = "Age of the oldest open change", stat = "Maximum", metrics = [["BBWS/Products", "OldestOpenChange", "Environment", local.env]] },
    { title = "CloudFront: requests, and errors in percent", stat = "Average", region = "us-east-1", metrics = [
      for metric in ["Requests", "4xxErrorRate", "5xxErrorRate"] :
      ["AWS/CloudFront", metric, "DistributionId", aws_cloudfront_distribution.api.id, "Region", "Global"]
    ] },
    { title = "Search", stat = "Maximum", metrics = [
      for metric in ["ClusterStatus.red", "JVMMemoryPressure", "CPUUtilization"] :
      ["AWS/ES", metric, "DomainName", "bbws-products-${local.env}", "ClientId", var.account_id]
    ] },
  ]
}

resource "aws_cloudwatch_dashboard" "products" {
  dashboard_name = "bbws-products-${local.env}"
  dashboard_body = jsonencode({
    widgets = concat(
      [{
        type       = "alarm", x = 0, y = 0, width = 24, height = 4
        properties = { title = "Alarms", alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn] }
      }],
      [for number, chart in local.charts : {
        type = "metric", x = 12 * (number % 2), y = 4 + 6 * floor(number / 2), width = 12, height = 6
        properties = {
          title   = chart.title
          region  = lookup(chart, "region", var.region)
          stat    = chart.stat
          period  = 60
          view    = "timeSeries"
          metrics = chart.metrics
        }
      }],
    )
  })
}
