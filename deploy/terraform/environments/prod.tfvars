environment = "prod"
region      = "af-south-1"
account_id  = "333333333333" # replace with yours

log_level          = "WARNING"
log_retention_days = 365
# After the acceptance: { mode = "COMPLIANCE", days = 2555, expire_days = 2920 }. There is no way back.
audit_lock          = { mode = "GOVERNANCE", days = 30, expire_days = 2920 }
deletion_protection = true
monthly_budget      = 1500

backup_vault_arn = "arn:aws:backup:eu-west-1:444444444444:backup-vault:bbws-products-prod" # replace with the output of deploy/backups, or remove

cors_allowed_origins = ["https://portal.example.com"] # replace with yours
enable_opensearch    = true
enable_containers    = true
consumers            = "lambda"

# How staff log in. Remove oidc or email if there is none; docs/operations.md has what to prepare.
people = {
  second_factor_for = ["everybody"]
  oidc = {
    issuer       = "https://login.example.com" # replace with yours
    client_id    = "bbws-products"
    groups_claim = "groups"
    groups       = { "catalogue-team" = "Product editors", "catalogue-leads" = "Product admins" }
  }
  email = {
    host = "email-smtp.eu-west-1.amazonaws.com"
    from = "products@example.com" # replace with yours
    user = "the-user-of-smtp"     # replace with yours
  }
}

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
  admin_cidrs        = ["10.0.0.0/8"] # replace with the networks of your staff
  database_class     = "db.t4g.small"
  database_multi_az  = true
}
