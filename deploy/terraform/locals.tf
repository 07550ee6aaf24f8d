# Names that the application also contains; tests/infra/test_terraform_agrees.py compares them.
locals {
  env = var.environment
  tags = {
    Project     = "bbws-products"
    Environment = var.environment
    Owner       = var.owner
    ManagedBy   = "terraform"
  }

  package_bucket = coalesce(var.package_bucket, "bbws-products-artefacts-${var.account_id}-${var.region}")
  audit_bucket = coalesce(
    var.audit_bucket,
    "bbws-product-audit-logs-${local.env}${var.append_account_id ? "-${var.account_id}" : ""}",
  )

  # Each queue with its consumer and the maximum batch size.
  queues = {
    change = { consumer = "creator", batch_size = 10 }
    cache  = { consumer = "cache-invalidator", batch_size = 10 }
    search = { consumer = "search-indexer", batch_size = 5 }
    audit  = { consumer = "audit-logger", batch_size = 10 }
  }
  visibility_seconds = 60

  # deploy/bootstrap creates this policy. No role of ours may do more than it allows.
  boundary_arn = "arn:aws:iam::${var.account_id}:policy/bbws-products-boundary-${local.env}"

  api_host   = try(var.api_domain.name, aws_cloudfront_distribution.api.domain_name)
  search_arn = "arn:aws:es:${var.region}:${var.account_id}:domain/bbws-products-${local.env}"

  # The application's settings: first those of all processes, then those of each side.
  where_things_are = merge(
    {
      ENVIRONMENT          = local.env
      LOG_LEVEL            = var.log_level
      PRODUCTS_TABLE       = local.live_table
      SQS_QUEUE_URL_PREFIX = "https://sqs.${var.region}.amazonaws.com/${var.account_id}"
      ENABLE_OPENSEARCH    = var.enable_opensearch ? "1" : "0"
      ENABLE_CLOUDFRONT    = var.enable_cloudfront_cache ? "1" : "0"
    },
    var.enable_opensearch ? { OPENSEARCH_URL = "https://${aws_opensearch_domain.products[0].endpoint}:443" } : {},
    var.extra_environment,
  )
  for_requests = {
    MEDIA_BUCKET         = module.media_bucket.name
    MEDIA_URL            = "https://${local.api_host}/"
    CORS_ALLOWED_ORIGINS = join(",", var.cors_allowed_origins)
  }
  for_effects = {
    AUDIT_BUCKET               = module.audit_bucket.name
    CLOUDFRONT_DISTRIBUTION_ID = aws_cloudfront_distribution.api.id
  }

  # Names for the placeholders in the policies.
  policy_names = {
    region            = var.region
    table_arn         = local.live_table_arn
    change_queue_arn  = module.queue["change"].arn
    cache_queue_arn   = module.queue["cache"].arn
    search_queue_arn  = module.queue["search"].arn
    audit_queue_arn   = module.queue["audit"].arn
    change_dlq_arn    = module.queue["change"].dlq_arn
    cache_dlq_arn     = module.queue["cache"].dlq_arn
    search_dlq_arn    = module.queue["search"].dlq_arn
    audit_dlq_arn     = module.queue["audit"].dlq_arn
    audit_bucket_arn  = module.audit_bucket.arn
    media_bucket_arn  = module.media_bucket.arn
    distribution_arn  = aws_cloudfront_distribution.api.arn
    search_domain_arn = local.search_arn
    search_alias      = "bbws-products-${local.env}"
    secrets_arn       = local.secrets_arn
    access_arn        = local.access_arn
    secrets_key_arn   = local.secrets_key_arn

    people_secrets_arn = local.people_secrets_arn
  }
}
