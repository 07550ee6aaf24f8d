environment = "dev"
region      = "eu-west-1"
account_id  = "111111111111" # replace with yours

log_retention_days  = 90
audit_lock          = { mode = "GOVERNANCE", days = 30, expire_days = 365 }
deletion_protection = false

cors_allowed_origins = ["http://localhost:3000"]
enable_opensearch    = true
enable_containers    = false
consumers            = "lambda"
