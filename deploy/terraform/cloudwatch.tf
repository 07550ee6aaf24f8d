# Every alarm notifies a topic when it starts and ends. Its description links to its section in the
# runbook. tests/infra/test_alarms.py feeds each alarm with samples: the trouble it is named after,
# and a normal day of this catalogue, both with many and with few requests.
locals {
  runbook = "docs/operations.md"
  api     = { ApiName = "bbws-product-api-${local.env}", Stage = module.api.stage }
  table   = { TableName = local.live_table }
  indexes = ["ProductsByPriceIndex", "ProductsByCreatedIndex", "OpenChangesIndex", "LatestChangesIndex", "ProductsByNameIndex", "ProductsByUpdateIndex", "StoredRecordsIndex"]

  # Defaults. An alarm starts when `out` of the last `of` periods are over the threshold.
  usual = {
    comparison = "GreaterThanThreshold", period = 60, out = 3, of = 5, missing = "notBreaching", expression = null
  }

  # A percentage or a percentile of few requests says nothing, so these count them, too.
  quarter_hour = merge(local.usual, { period = 900, out = 1, of = 1 })
  timed_reads = {
    "api-latency"      = { resource = "/v1.0/products", threshold = 300, means = "The slowest 5 % of lists take over 300 ms" }
    "api-read-latency" = { resource = "/v1.0/products/{productId}", threshold = 200, means = "The slowest 5 % of product reads take over 200 ms" }
  }

  function_alarms = merge([
    for name, function in local.functions : {
      "${name}-errors" = merge(local.quarter_hour, {
        page       = "function-errors", means = "More than 5 % of calls fail, and at least three in a quarter of an hour"
        expression = "IF(errors >= 3, 100 * errors / calls, 0)", threshold = 5
        metrics = {
          errors = { namespace = "AWS/Lambda", metric = "Errors", stat = "Sum", dimensions = { FunctionName = local.function_names[name] } }
          calls  = { namespace = "AWS/Lambda", metric = "Invocations", stat = "Sum", dimensions = { FunctionName = local.function_names[name] } }
        }
      })
      "${name}-throttles" = merge(local.usual, {
        page       = "function-throttles", means = "Calls are throttled because the account's concurrency is used up"
        namespace  = "AWS/Lambda", metric = "Throttles", stat = "Sum", threshold = 0
        dimensions = { FunctionName = local.function_names[name] }
      })
      # The maximum, because percentiles of a few hundred calls a day are not evaluated.
      "${name}-duration" = merge(local.quarter_hour, {
        page       = "function-duration", means = "Calls take over 80 % of the function's timeout", out = 2, of = 4
        namespace  = "AWS/Lambda", metric = "Duration", stat = "Maximum", threshold = 800 * function.timeout
        dimensions = { FunctionName = local.function_names[name] }
      })
    }
  ]...)

  account_alarms = {
    "concurrency" = merge(local.usual, {
      page      = "function-throttles", means = "Over 80 % of the account's concurrency is used"
      namespace = "AWS/Lambda", metric = "ConcurrentExecutions", stat = "Maximum", threshold = 0.8 * var.account_concurrency, dimensions = {}
    })
    "schedules" = merge(local.usual, {
      page       = "open-changes", means = "The scheduler can't call the creator function"
      namespace  = "AWS/Scheduler", metric = "TargetErrorCount", stat = "Sum", threshold = 0
      dimensions = { ScheduleGroup = "default" }
    })
  }

  backup_alarms = var.backup_vault_arn == null ? {} : {
    "backup-copies" = merge(local.usual, {
      page      = "backup-copies", means = "No backup was copied to the other account for a day", period = 21600, out = 4, of = 4
      namespace = "AWS/Backup", metric = "NumberOfCopyJobsCompleted", stat = "Sum", threshold = 1, comparison = "LessThanThreshold", missing = "breaching", dimensions = {}
    })
  }

  queue_alarms = merge([
    for name, queue in local.queues : {
      "${name}-dead-letters" = merge(local.usual, {
        page       = "dead-letters", means = "A message failed too often; its change needs an operator"
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

  api_alarms = merge(
    {
      "api-errors" = merge(local.usual, {
        page      = "api-errors", means = "More than 1 % of responses are 5xx"
        namespace = "AWS/ApiGateway", metric = "5XXError", stat = "Average", threshold = 0.01, dimensions = local.api
      })
      "api-refusals" = merge(local.usual, {
        page       = "api-refusals", means = "More than a fifth of at least 100 requests in five minutes are refused", period = 300, of = 3
        expression = "IF(requests >= 100, 100 * refused / requests, 0)", threshold = 20
        metrics = {
          refused  = { namespace = "AWS/ApiGateway", metric = "4XXError", stat = "Sum", dimensions = local.api }
          requests = { namespace = "AWS/ApiGateway", metric = "Count", stat = "Sum", dimensions = local.api }
        }
      })
      # With few requests each is a cold start, which takes a second or two.
      "api-slow" = merge(local.usual, {
        page       = "api-latency", means = "Half of at least three lists take over three seconds", period = 900, out = 2, of = 2
        expression = "IF(requests >= 3, median, 0)", threshold = 3000
        metrics = {
          for name, metric in { median = { metric = "Latency", stat = "p50" }, requests = { metric = "Count", stat = "Sum" } } :
          name => merge(metric, { namespace = "AWS/ApiGateway", dimensions = merge(local.api, { Resource = "/v1.0/products", Method = "GET" }) })
        }
      })
    },
    # Reads only: a write with `Prefer: wait` takes as long as its caller asked.
    {
      for name, read in local.timed_reads : name => merge(local.usual, {
        page       = "api-latency", means = read.means, period = 300, of = 3
        expression = "IF(requests >= 50, slowest, 0)", threshold = read.threshold
        metrics = {
          for metric_name, metric in { slowest = { metric = "Latency", stat = "p95" }, requests = { metric = "Count", stat = "Sum" } } :
          metric_name => merge(metric, { namespace = "AWS/ApiGateway", dimensions = merge(local.api, { Resource = read.resource, Method = "GET" }) })
        }
      })
    },
  )

  # DynamoDB counts its own errors by operation only.
  operations = ["GetItem", "BatchGetItem", "Query", "PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"]
  table_alarms = merge(
    {
      "table-system-errors" = merge(local.usual, {
        page       = "table-errors", means = "DynamoDB returns internal errors"
        expression = "SUM([${join(", ", [for operation in local.operations : "FILL(${lower(operation)}, 0)"])}])", threshold = 0
        metrics = {
          for operation in local.operations : lower(operation) => {
            namespace  = "AWS/DynamoDB", metric = "SystemErrors", stat = "Sum"
            dimensions = merge(local.table, { Operation = operation })
          }
        }
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

  # The limits are those that AWS recommends for OpenSearch.
  search_alarms = var.enable_opensearch ? {
    for name, alarm in merge(
      {
        "search-red"       = { metric = "ClusterStatus.red", stat = "Maximum", threshold = 0, out = 1, of = 1, means = "Some search data is unavailable" }
        "search-storage"   = { metric = "FreeStorageSpace", stat = "Minimum", threshold = 1024 * var.opensearch.volume_gb * 0.2, means = "Less than a fifth of a node's disk is free", comparison = "LessThanThreshold" }
        "search-memory"    = { metric = "JVMMemoryPressure", stat = "Maximum", threshold = 95, of = 3, means = "OpenSearch is running out of memory" }
        "search-old-gen"   = { metric = "OldGenJVMMemoryPressure", stat = "Maximum", threshold = 80, of = 3, means = "OpenSearch can't free memory" }
        "search-blocked"   = { metric = "ClusterIndexWritesBlocked", stat = "Maximum", threshold = 0, period = 300, out = 1, of = 1, means = "OpenSearch refuses writes" }
        "search-processor" = { metric = "CPUUtilization", stat = "Average", threshold = 80, period = 900, out = 3, of = 3, means = "OpenSearch's processors are busy" }
        "search-snapshots" = { metric = "AutomatedSnapshotFailure", stat = "Maximum", threshold = 0, out = 1, of = 1, means = "OpenSearch could not take a snapshot" }
        "search-nodes"     = { metric = "Nodes", stat = "Minimum", threshold = var.opensearch.instance_count, out = 5, means = "A node of OpenSearch is missing", comparison = "LessThanThreshold" }
      },
      var.opensearch.instance_count > 1 ? {
        "search-yellow" = { metric = "ClusterStatus.yellow", stat = "Maximum", threshold = 0, period = 300, out = 3, of = 3, means = "Search data has no second copy" }
      } : {},
      ) : name => merge(local.usual, {
        page       = "search", namespace = "AWS/ES"
        dimensions = { DomainName = "bbws-products-${local.env}", ClientId = var.account_id }
    }, alarm)
  } : {}

  # Metrics from the application's log lines (CloudWatch's embedded metric format).
  own_alarms = {
    for name, alarm in merge(
      {
        "open-changes" = { metric = "OldestOpenChange", threshold = 600, out = 2, of = 2, missing = "breaching", means = "An accepted change has been open for more than ten minutes, or the relay does not run" }
        "stalled-jobs" = { metric = "StalledJobs", threshold = 0, out = 3, of = 3, means = "A bulk edit or an import makes no progress" }
        "late-plans"   = { metric = "PlanLateness", threshold = 60, out = 1, of = 1, means = "A planned change was made more than a minute late" }
        "waiting-plan" = { metric = "OverduePlan", threshold = 60, out = 1, of = 1, page = "late-plans", means = "A planned change has been due for more than a minute" }
        "drift"        = { namespace = "BBWS/Products/${local.env}", metric = "Drift", stat = "Sum", threshold = 0, out = 1, of = 1, means = "Stored data differs from the change log", dimensions = {} }
      },
      {
        for effect in ["stored", "purged", "searchable", "audited"] : "${effect}-failures" => {
          metric     = "EffectFailures", stat = "Sum", threshold = 10, period = 900, out = 2, of = 2, page = "effect-failures"
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
    for name, alarm in {
      "database-storage"     = { metric = "FreeStorageSpace", stat = "Minimum", threshold = 2000000000, comparison = "LessThanThreshold", means = "Less than 2 GB of the database's disk is free" }
      "database-memory"      = { metric = "FreeableMemory", stat = "Minimum", threshold = 50000000, comparison = "LessThanThreshold", means = "Less than 50 MB of the database's memory is free" }
      "database-processor"   = { metric = "CPUUtilization", stat = "Average", threshold = 80, period = 300, out = 3, of = 3, means = "The database's processor is busy" }
      "database-connections" = { metric = "DatabaseConnections", stat = "Maximum", threshold = 60, means = "The database has many connections" }
      } : name => merge(local.usual, {
        page       = "database", namespace = "AWS/RDS"
        dimensions = { DBInstanceIdentifier = module.containers[0].database }
    }, alarm)
  } : {}

  # Staff make few requests, so the admin's errors are counted for a quarter of an hour.
  admin_alarms = merge([
    for containers in module.containers : merge(
      {
        for name, alarm in {
          "admin-errors" = { metric = "HTTPCode_Target_5XX_Count", means = "The admin returns 5xx errors" }
          "admin-down"   = { metric = "HTTPCode_ELB_5XX_Count", means = "The load balancer gets no answer from the admin" }
          } : name => merge(local.quarter_hour, {
            page       = "admin", namespace = "AWS/ApplicationELB", stat = "Sum", threshold = 2
            dimensions = { LoadBalancer = containers.load_balancer_suffix }
        }, alarm)
      },
      {
        "admin-tasks" = merge(local.usual, {
          page       = "admin", means = "No task of the admin is healthy"
          namespace  = "AWS/ApplicationELB", metric = "HealthyHostCount", stat = "Maximum", threshold = 1, comparison = "LessThanThreshold", missing = "breaching"
          dimensions = { LoadBalancer = containers.load_balancer_suffix, TargetGroup = containers.target_group_suffix }
        })
      },
      {
        for service in containers.services : "${service}-tasks" => merge(local.usual, {
          page       = "containers", means = "Fewer tasks of the service ${service} run than should", period = 300, out = 3, of = 3
          expression = "IF(running < desired, desired - running, 0)", threshold = 0, missing = "breaching"
          metrics = {
            for metric_name, metric in { running = "RunningTaskCount", desired = "DesiredTaskCount" } : metric_name => {
              namespace                          = "ECS/ContainerInsights", metric = metric, stat = metric_name == "running" ? "Maximum" : "Minimum"
              dimensions                         = { ClusterName = containers.cluster, ServiceName = service }
            }
          }
        })
      },
    )
  ]...)

  alarms = merge(
    local.function_alarms, local.account_alarms, local.queue_alarms, local.api_alarms, local.table_alarms, local.search_alarms,
    local.own_alarms, local.database_alarms, local.admin_alarms, local.backup_alarms,
  )

  # Clients get errors, or accepted changes are not processed. A dead letter alone wakes nobody: the
  # relay repeats its work, and if that fails too, the change stays open.
  paging_alarms = [
    "api-errors", "table-system-errors", "create-errors", "update-errors", "delete-errors", "open-changes", "change-queue-age",
  ]
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
  namespace   = try(each.value.namespace, null)
  metric_name = try(each.value.metric, null)
  dimensions  = try(each.value.dimensions, null)
  period      = each.value.expression == null ? each.value.period : null
  statistic   = try(each.value.stat, null)

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

# The alarm that wakes somebody has a topic of its own, so that nobody has to find it among the mails.
resource "aws_cloudwatch_composite_alarm" "page" {
  alarm_name        = "bbws-product-page-${local.env}"
  alarm_description = "Clients get errors, or accepted changes are not processed. ${local.runbook}"
  alarm_rule        = join(" OR ", [for name in local.paging_alarms : "ALARM(\"${aws_cloudwatch_metric_alarm.this[name].alarm_name}\")"])
  alarm_actions     = [aws_sns_topic.page.arn]
  ok_actions        = [aws_sns_topic.page.arn]
}
