# deploy/bootstrap creates the keys, so that CI needs no right to create or change any.
data "aws_kms_alias" "secrets" {
  name = "alias/bbws-products-secrets-${local.env}"
}

data "aws_kms_alias" "alerts" {
  name = "alias/bbws-product-alerts-${local.env}"
}

data "aws_kms_alias" "edge_alerts" {
  provider = aws.us_east_1

  name = "alias/bbws-product-edge-alerts-${local.env}"
}

# The offline provider knows no keys.
locals {
  secrets_key_arn = coalesce(
    data.aws_kms_alias.secrets.target_key_arn,
    "arn:aws:kms:${var.region}:${var.account_id}:key/of-deploy-bootstrap",
  )
}
