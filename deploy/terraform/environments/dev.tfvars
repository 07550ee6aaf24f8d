environment = "dev"
region      = "eu-west-1"
account_id  = "536580886816"

log_level           = "INFO"
log_retention_days  = 90
audit_lock          = { mode = "GOVERNANCE", days = 30, expire_days = 90 }
deletion_protection = false
monthly_budget      = 50

cors_allowed_origins    = ["http://localhost:3000"]
enable_opensearch       = false
enable_cloudfront_cache = false
enable_containers       = false
consumers               = "lambda"
# A new account may have a concurrency of 10.
consumer_concurrency = 2
account_concurrency  = 10
