# Every alarm notifies the topic when it starts and ends. Its description links to its section in
# the runbook.
locals {
  runbook = "docs/operations.md"
  api     = { ApiName = "bbws-product-api-${local.env}", Stage = module.api.stage }
  table   = { TableName = aws_dynamodb_table.products.name }
  indexes = ["ProductsByPriceIndex", "ProductsByCreatedIndex", "OpenChangesIndex"]

  # Defaults. An alarm starts when `out` of the last `of` periods are over the threshold.
  usual = {
    comparison = "GreaterThanThreshold", period = 60, out = 3, of = 5, missing = "notBreaching", low_samples = null,
    expression = null
  }

  function_alarms = merge([
    for name, function in local.functions : {
      "${name}-errors" = merge(local.usual, {
        page       = "function-errors", means = "More than 5 % of calls fail (of at least 20 a minute)"
        expression = "IF(calls >= 20, 100 * errors / calls, 0)", threshold = 5
        metrics = {
          errors = { namespace = "AWS/Lambda", metric = "Errors", stat = "Sum", dimensions = { FunctionName = "bbws-product-${name}-${local.env}" } }
          calls  = { namespace = "AWS/Lambda", metric = "Invocations", stat = "Sum", dimensions = { FunctionName = "bbws-product-${name}-${local.env}" } }
        }
      })
      "${name}-throttles" = merge(local.usual, {
        page       = "function-throttles", means = "Calls are throttled because the account's concurrency is used up"
        namespace  = "AWS/Lambda", metric = "Throttles", stat = "Sum", threshold = 0
        dimensions = { FunctionName = "bbws-product-${name}-${local.env}" }
      })
      "${name}-duration" = merge(local.usual, {
        page        = "function-duration", means = "The slowest 1 % of calls take over 80 % of the function's timeout"
        namespace   = "AWS/Lambda", metric = "Duration", stat = "p99", threshold = 800 * function.timeout
        dimensions  = { FunctionName = "bbws-product-${name}-${local.env}" }
        low_samples = "ignore"
      })
    }
  ]...)

  queue_alarms = merge([
    for name, queue in local.queues : {
      "${name}-dead-letters" = merge(local.usual, {
        page       = "dead-letters", means = "A message failed three times; its change needs an operator"
        namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", stat = "Maximum", threshold = 0, out = 1, of = 1
        dimensions = { QueueName = "bbws-product-${name}-dlq-${local.env}" }
      })
      "${name}-queue-age" = merge(local.usual, {
        page       = "queue-age", means = "The oldest message has been waiting for more than five minutes"
        namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", stat = "Maximum", threshold = 300, out = 2, of = 3
        dimensions = { QueueName = "bbws-product-${name}-${local.env}" }
      })
    }
  ]...)

  api_alarms = {
    "api-errors" = merge(local.usual, {
      page      = "api-errors", means = "More than 1 % of responses are 5xx"
      namespace = "AWS/ApiGateway", metric = "5XXError", stat = "Average", threshold = 0.01, dimensions = local.api
    })
    "api-latency" = merge(local.usual, {
      page        = "api-latency", means = "The slowest 5 % of responses take over 300 ms"
      namespace   = "AWS/ApiGateway", metric = "Latency", stat = "p95", threshold = 300, dimensions = local.api
      low_samples = "ignore"
    })
    "api-read-latency" = merge(local.usual, {
      page        = "api-latency", means = "The slowest 5 % of product reads take over 200 ms"
      namespace   = "AWS/ApiGateway", metric = "Latency", stat = "p95", threshold = 200
      dimensions  = merge(local.api, { Resource = "/v1.0/products/{productId}", Method = "GET" })
      low_samples = "ignore"
    })
  }

  table_alarms = merge(
    {
      "table-system-errors" = merge(local.usual, {
        page      = "table-errors", means = "DynamoDB returns internal errors"
        namespace = "AWS/DynamoDB", metric = "SystemErrors", stat = "Sum", threshold = 0, dimensions = local.table
      })
    },
    merge([
      for index in concat([null], local.indexes) : {
        for kind in ["Read", "Write"] : "table-${lower(kind)}-throttles${index == null ? "" : "-${index}"}" => merge(local.usual, {
          page       = "table-throttles", means = "DynamoDB throttles ${lower(kind)}s of ${index == null ? "the table" : index}"
          namespace  = "AWS/DynamoDB", metric = "${kind}ThrottleEvents", stat = "Sum", threshold = 0
          dimensions = merge(local.table, index == null ? {} : { GlobalSecondaryIndexName = index })
        })
      }
    ]...),
  )

  search_alarms = var.enable_opensearch ? {
    for name, alarm in {
      "search-red"     = { metric = "ClusterStatus.red", stat = "Maximum", threshold = 0, means = "Some search data is unavailable", comparison = "GreaterThanThreshold" }
      "search-storage" = { metric = "FreeStorageSpace", stat = "Minimum", threshold = 1024 * var.opensearch.volume_gb * 0.2, means = "Less than a fifth of a node's disk is free", comparison = "LessThanThreshold" }
      "search-memory"  = { metric = "JVMMemoryPressure", stat = "Maximum", threshold = 85, means = "OpenSearch is running out of memory", comparison = "GreaterThanThreshold" }
      } : name => merge(local.usual, alarm, {
        page       = "search", namespace = "AWS/ES"
        dimensions = { DomainName = "bbws-products-${local.env}", ClientId = var.account_id }
    })
  } : {}

  # Metrics from the application's log lines (CloudWatch's embedded metric format).
  own_alarms = {
    for name, alarm in merge(
      {
        "open-changes" = { metric = "OldestOpenChange", threshold = 600, out = 2, of = 2, missing = "breaching", means = "An accepted change has been open for more than ten minutes, or the relay does not run" }
        "stalled-jobs" = { metric = "StalledJobs", threshold = 0, out = 3, of = 3, means = "A bulk edit or an import makes no progress" }
        "drift"        = { namespace = "BBWS/Products/${local.env}", metric = "Drift", stat = "Sum", threshold = 0, out = 1, of = 1, means = "Stored data differs from the change log", dimensions = null }
      },
      {
        for effect in ["stored", "purged", "searchable", "audited"] : "${effect}-failures" => {
          metric     = "EffectFailures", stat = "Sum", threshold = 20, out = 3, of = 3, page = "effect-failures"
          dimensions = { Environment = local.env, Effect = effect }, means = "Changes repeatedly fail to be ${effect}"
        }
      },
      var.enable_containers ? {
        "login-locks" = { metric = "LoginLocks", stat = "Sum", threshold = 10, out = 1, of = 1, means = "Many failed logins" }
      } : {},
      ) : name => merge(
      local.usual,
      { page = name, namespace = "BBWS/Products", stat = "Maximum", period = 300, dimensions = { Environment = local.env } },
      alarm,
    )
  }

  database_alarms = var.enable_containers ? {
    "database-storage" = merge(local.usual, {
      page       = "database", means = "Less than 2 GB of the database's disk is free"
      namespace  = "AWS/RDS", metric = "FreeStorageSpace", stat = "Minimum", threshold = 2000000000, comparison = "LessThanThreshold"
      dimensions = { DBInstanceIdentifier = module.containers[0].database }
    })
    "admin-errors" = merge(local.usual, {
      page       = "admin", means = "The admin returns 5xx errors"
      namespace  = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", stat = "Sum", threshold = 5
      dimensions = { LoadBalancer = module.containers[0].load_balancer_suffix }
    })
  } : {}

  alarms = merge(
    local.function_alarms, local.queue_alarms, local.api_alarms, local.table_alarms, local.search_alarms, local.own_alarms,
    local.database_alarms,
  )
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "bbws-product-${each.key}-${local.env}"
  alarm_description   = "${each.value.means}. ${local.runbook}#${each.value.page}"
  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  evaluation_periods  = each.value.of
  datapoints_to_alarm = each.value.out
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.alerts.arn]
  ok_actions          = [aws_sns_topic.alerts.arn]

  # Either one metric, or an expression over several.
  namespace                             = try(each.value.namespace, null)
  metric_name                           = try(each.value.metric, null)
  dimensions                            = try(each.value.dimensions, null)
  period                                = each.value.expression == null ? each.value.period : null
  statistic                             = try(startswith(each.value.stat, "p") ? null : each.value.stat, null)
  extended_statistic                    = try(startswith(each.value.stat, "p") ? each.value.stat : null, null)
  evaluate_low_sample_count_percentiles = each.value.low_samples

  dynamic "metric_query" {
    for_each = each.value.expression == null ? [] : [each.value.expression]

    content {
      id          = "value"
      expression  = metric_query.value
      label       = each.value.means
      return_data = true
    }
  }

  dynamic "metric_query" {
    for_each = try(each.value.metrics, {})

    content {
      id = metric_query.key

      metric {
        namespace   = metric_query.value.namespace
        metric_name = metric_query.value.metric
        dimensions  = metric_query.value.dimensions
        stat        = metric_query.value.stat
        period      = each.value.period
      }
    }
  }
}

# The drift scan logs each difference; it runs in the creator function or in the worker.
resource "aws_cloudwatch_log_metric_filter" "drift" {
  name           = "bbws-product-drift-${local.env}"
  log_group_name = var.consumers == "lambda" ? module.function["creator"].log_group : module.containers[0].worker_log_group
  pattern        = "{ $.event = \"drift\" }"

  metric_transformation {
    namespace     = "BBWS/Products/${local.env}"
    name          = "Drift"
    value         = "1"
    default_value = "0"
  }
}

# CloudFront's metrics are in us-east-1. An alarm can't notify a topic in another region, so this one
# has its own topic.
resource "aws_cloudwatch_metric_alarm" "cloudfront" {
  provider = aws.us_east_1

  alarm_name          = "bbws-product-cloudfront-errors-${local.env}"
  alarm_description   = "More than 1 % of CloudFront's responses are 5xx. ${local.runbook}#cloudfront-errors"
  namespace           = "AWS/CloudFront"
  metric_name         = "5xxErrorRate"
  statistic           = "Average"
  period              = 60
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.edge_alerts.arn]
  ok_actions          = [aws_sns_topic.edge_alerts.arn]
  dimensions          = { DistributionId = aws_cloudfront_distribution.api.id, Region = "Global" }
}

# The alarm that wakes somebody: clients get errors, or accepted changes are not processed.
resource "aws_cloudwatch_composite_alarm" "page" {
  alarm_name        = "bbws-product-page-${local.env}"
  alarm_description = "Clients get errors, or accepted changes are not processed. ${local.runbook}"
  alarm_rule = join(" OR ", [
    for name in concat(
      ["api-errors", "table-system-errors", "create-errors", "update-errors", "delete-errors", "open-changes"],
      [for queue in keys(local.queues) : "${queue}-dead-letters"],
      [for queue in keys(local.queues) : "${queue}-queue-age"],
    ) : "ALARM(\"${aws_cloudwatch_metric_alarm.this[name].alarm_name}\")"
  ])
  alarm_actions = [aws_sns_topic.alerts.arn]
  ok_actions    = [aws_sns_topic.alerts.arn]
}
