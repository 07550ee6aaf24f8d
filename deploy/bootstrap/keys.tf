# Encrypts the application's keys in SSM. It exists before the first deployment, because containers
# that start without their keys fail until ECS gives up.
resource "aws_kms_key" "secrets" {
  description             = "Encrypts the keys of the product catalogue, ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-secrets.json.tftpl", { account_id = var.account_id })
}

resource "aws_kms_alias" "secrets" {
  name          = "alias/bbws-products-secrets-${var.environment}"
  target_key_id = aws_kms_key.secrets.key_id
}

# CloudWatch can't publish to a topic that is encrypted with the AWS managed key of SNS. These keys
# are here too, so that CI needs no right to create or change keys.
resource "aws_kms_key" "alerts" {
  description             = "Encrypts alerts of the product catalogue, ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-alerts.json.tftpl", { account_id = var.account_id })
}

resource "aws_kms_alias" "alerts" {
  name          = "alias/bbws-product-alerts-${var.environment}"
  target_key_id = aws_kms_key.alerts.key_id
}

resource "aws_kms_key" "edge_alerts" {
  provider = aws.us_east_1

  description             = "Encrypts CloudFront alerts of the product catalogue, ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = templatefile("${path.module}/policies/key-alerts.json.tftpl", { account_id = var.account_id })
}

resource "aws_kms_alias" "edge_alerts" {
  provider = aws.us_east_1

  name          = "alias/bbws-product-edge-alerts-${var.environment}"
  target_key_id = aws_kms_key.edge_alerts.key_id
}

# Encrypts backups of the table in AWS Backup, if they are copied to another account.
resource "aws_kms_key" "backups" {
  description             = "Encrypts backups of the product catalogue, ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = templatefile("${path.module}/policies/key-backups.json.tftpl", {
    account_id = var.account_id
    readers    = jsonencode(distinct([for account in [var.account_id, coalesce(var.backup_account_id, var.account_id)] : "arn:aws:iam::${account}:root"]))
  })
}

resource "aws_kms_alias" "backups" {
  name          = "alias/bbws-products-backups-${var.environment}"
  target_key_id = aws_kms_key.backups.key_id
}

# Each new instance of a function reads the keys. The usual 40 calls a second are too few for many
# instances that start at the same moment.
resource "aws_ssm_service_setting" "throughput" {
  count = var.first_in_account ? 1 : 0

  setting_id    = "arn:aws:ssm:${var.region}:${var.account_id}:servicesetting/ssm/parameter-store/high-throughput-enabled"
  setting_value = "true"
}
