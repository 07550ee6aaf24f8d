environment = "prod"
region      = "af-south-1"
account_id  = "333333333333" # replace with yours

log_retention_days  = 365
audit_lock          = { mode = "COMPLIANCE", days = 2555, expire_days = 2920 } # locked for seven years, deleted after eight
deletion_protection = true

cors_allowed_origins = ["https://portal.example.com"] # replace with yours
enable_opensearch    = true
enable_containers    = true
consumers            = "lambda"

opensearch = {
  instance_type  = "m6g.large.search"
  instance_count = 2
  volume_gb      = 20
}

containers = {
  image              = "333333333333.dkr.ecr.af-south-1.amazonaws.com/bbws-products@sha256:0000000000000000000000000000000000000000000000000000000000000000" # replace with your build
  certificate_arn    = "arn:aws:acm:af-south-1:333333333333:certificate/00000000-0000-0000-0000-000000000000"                                                # replace with yours
  domain_name        = "products-admin.example.com"                                                                                                          # replace with yours
  availability_zones = ["af-south-1a", "af-south-1b"]
  database_class     = "db.t4g.small"
  database_multi_az  = true
}
