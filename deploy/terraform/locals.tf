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

  # Each queue with its consumer and the maximum batch size.
  queues = {
    change = { consumer = "creator", batch_size = 10 }
    cache  = { consumer = "cache-invalidator", batch_size = 10 }
    search = { consumer = "search-indexer", batch_size = 5 }
    audit  = { consumer = "audit-logger", batch_size = 10 }
  }
  visibility_seconds = 60
  consumer_timeout   = 10 # seconds; a sixth of the visibility timeout
  api_timeout        = 15 # seconds; Prefer: wait takes up to 10, API Gateway's timeout is 29

  functions = merge(
    {
      for name, what in {
        list   = "Lists and searches products; reports readiness"
        get    = "Reads a product, its history and its receipts"
        create = "Accepts new products"
        update = "Accepts edits, batches and restorations"
        delete = "Accepts deactivations of products"
        } : name => {
        description = what
        side        = "api"
        handler     = "bbws_products.aws_lambda.handler"
        timeout     = local.api_timeout
      }
    },
    {
      for name, what in {
        creator           = "Stores records and sends the messages for other effects; runs the relay and the drift scan"
        cache-invalidator = "Purges the cache"
        search-indexer    = "Indexes products for search"
        audit-logger      = "Writes audit records"
        } : name => {
        description = what
        side        = "consumer"
        handler     = "tasks.aws_lambda.handler"
        timeout     = local.consumer_timeout
      }
    },
  )

  api_host   = try(var.api_domain.name, aws_cloudfront_distribution.api.domain_name)
  search_arn = "arn:aws:es:${var.region}:${var.account_id}:domain/bbws-products-${local.env}"

  # The application's settings: first those of all processes, then those of each side.
  where_things_are = merge(
    {
      ENVIRONMENT          = local.env
      SQS_QUEUE_URL_PREFIX = "https://sqs.${var.region}.amazonaws.com/${var.account_id}"
      ENABLE_OPENSEARCH    = var.enable_opensearch ? "1" : "0"
    },
    var.enable_opensearch ? { OPENSEARCH_URL = "https://${aws_opensearch_domain.products[0].endpoint}:443" } : {},
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
    table_arn         = aws_dynamodb_table.products.arn
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
    secrets_key_arn   = aws_kms_key.secrets.arn
  }
}
