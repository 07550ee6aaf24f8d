# The application's keys are the SecureStrings SECRET_KEY and TOKEN_KEYS under secrets_prefix. They
# are not Terraform resources, because the planning role could then read them. README.md describes
# how to set them.
locals {
  secrets_prefix = "/bbws-products/${local.env}/"
  secrets_arn    = "arn:aws:ssm:${var.region}:${var.account_id}:parameter${trimsuffix(local.secrets_prefix, "/")}"
}
