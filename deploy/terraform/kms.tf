resource "aws_kms_key" "secrets" {
  description             = "Encrypts the keys of the product catalogue, ${local.env}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-secrets.json.tftpl", { account_id = var.account_id })
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/bbws-products-secrets-${local.env}"
  target_key_id = aws_kms_key.secrets.key_id
}

# CloudWatch can't publish to a topic that is encrypted with the AWS managed key of SNS.
resource "aws_kms_key" "alerts" {
  description             = "Encrypts alerts of the product catalogue, ${local.env}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-alerts.json.tftpl", { account_id = var.account_id })
}

resource "aws_kms_alias" "alerts" {
  name          = "alias/bbws-product-alerts-${local.env}"
  target_key_id = aws_kms_key.alerts.key_id
}

resource "aws_kms_key" "edge_alerts" {
  provider = aws.us_east_1

  description             = "Encrypts CloudFront alerts of the product catalogue, ${local.env}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-alerts.json.tftpl", { account_id = var.account_id })
}
