environment = "sit"
region      = "eu-west-1"
account_id  = "222222222222" # replace with yours

log_level           = "INFO"
log_retention_days  = 180
audit_lock          = { mode = "GOVERNANCE", days = 180, expire_days = 730 }
deletion_protection = true
monthly_budget      = 250

cors_allowed_origins = ["https://portal.sit.example.com"] # replace with yours
enable_opensearch    = true
enable_containers    = true
consumers            = "lambda"

containers = {
  image              = "222222222222.dkr.ecr.eu-west-1.amazonaws.com/bbws-products@sha256:0000000000000000000000000000000000000000000000000000000000000000" # replace with your build
  certificate_arn    = "arn:aws:acm:eu-west-1:222222222222:certificate/00000000-0000-0000-0000-000000000000"                                                # replace with yours
  domain_name        = "products-admin.sit.example.com"                                                                                                     # replace with yours
  availability_zones = ["eu-west-1a", "eu-west-1b"]
  admin_cidrs        = ["10.0.0.0/8"] # replace with the networks of your staff
  web_count          = 1
}
