# The application's keys are the SecureStrings SECRET_KEY and TOKEN_KEYS under secrets_prefix. They
# are not Terraform resources, because the planning role could then read them. deploy/keys.sh sets
# them before the first apply, encrypted with a key that deploy/bootstrap creates.
locals {
  secrets_prefix   = "/bbws-products/${local.env}/"
  parameters_arn   = "arn:aws:ssm:${var.region}:${var.account_id}:parameter"
  secrets_arn      = "${local.parameters_arn}${trimsuffix(local.secrets_prefix, "/")}"
  database_key_arn = "${local.parameters_arn}/bbws-products-database/${local.env}/PASSWORD"

  # Secrets of the sign-on and of the mail server, which only containers need.
  people_secrets_arn = "${local.parameters_arn}/bbws-products-people/${local.env}"

  # Where manage.py leaves a first password or a token for a person to fetch.
  access_arn = "${local.parameters_arn}/bbws-products-access/${local.env}"
}
