# No cheaper storage class: it bills at least 128 KB an object, and a record is far smaller.
module "audit_bucket" {
  source = "./modules/bucket"

  name        = local.audit_bucket
  lock        = { mode = var.audit_lock.mode, days = var.audit_lock.days }
  expire_days = var.audit_lock.expire_days
}

# Product images, and the static files of the API's documentation. Only CloudFront reads it.
module "media_bucket" {
  source = "./modules/bucket"

  name                     = "bbws-product-media-${local.env}-${var.account_id}"
  cloudfront_distributions = [aws_cloudfront_distribution.api.arn]
}

# Access logs of CloudFront and the load balancer.
module "log_bucket" {
  source = "./modules/bucket"

  name            = "bbws-product-logs-${local.env}-${var.account_id}"
  expire_days     = var.log_retention_days
  logs_of_account = var.account_id
  log_regions     = [var.region, "us-east-1"] # CloudFront delivers from us-east-1
}
