# The application's keys are SecureStrings below secrets_prefix, SECRET_KEY and TOKEN_KEYS. Terraform only knows where they
# are: were they resources, each plan would read them, and so could whoever may plan. The README says how to set them.
locals {
  secrets_prefix = "/bbws-products/${local.env}/"
  secrets_arn    = "arn:aws:ssm:${var.region}:${var.account_id}:parameter${trimsuffix(local.secrets_prefix, "/")}"
}
