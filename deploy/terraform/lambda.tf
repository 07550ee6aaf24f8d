# Nine functions from one zip. They differ in handler, settings and permissions.
module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name           = local.function_names[each.key]
  role_name      = "${each.value.name}-role-${local.env}"
  boundary_arn   = local.boundary_arn
  description    = each.value.description
  handler        = each.value.handler
  package        = { bucket = local.package_bucket, key = var.package_key, hash = var.package_hash }
  architecture   = var.architecture
  memory_mb      = var.memory_mb
  timeout        = each.value.timeout
  retention_days = var.log_retention_days
  provisioned    = lookup(var.provisioned_concurrency, each.key, 0)
  policy_file    = "${path.module}/policies/${each.key}.json.tftpl"
  policy_names   = local.policy_names

  environment = merge(
    local.function_environments[each.value.side],
    # What to load at the start besides reads by token, while the function has a whole processor.
    each.key == "list" && var.enable_opensearch ? { PRIME = "tokens,search" } : {},
    each.key == "update" ? { PRIME = "tokens,bulk" } : {},
  )
}

# Consumers have no keys: a change was already authorised when it was accepted.
locals {
  function_environments = {
    api = merge(local.where_things_are, local.for_requests, local.for_effects, {
      DJANGO_SETTINGS_MODULE = "bbws_products.settings.api"
      SECRETS_SSM_PREFIX     = local.secrets_prefix
      NUM_PROXIES            = "2" # CloudFront, then API Gateway
    })
    consumer = merge(local.where_things_are, local.for_effects, {
      DJANGO_SETTINGS_MODULE = "bbws_products.settings.worker"
    })
  }
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = var.consumers == "lambda" ? local.queues : {}

  event_source_arn        = module.queue[each.key].arn
  function_name           = module.function[each.value.consumer].alias_arn
  batch_size              = each.value.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  # No batching window: it would delay each change.
  maximum_batching_window_in_seconds = 0

  # Limits this queue's share of the account's concurrency. With reserved concurrency, Lambda would
  # throttle instead, and each throttled message counts as received, towards the dead letters.
  scaling_config {
    maximum_concurrency = var.consumer_concurrency
  }
}
