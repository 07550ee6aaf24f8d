# Backups of the table outside this account or region, if backup_vault_arn names a vault there
# (deploy/backups). Point-in-time recovery is for everything else: it is newer and restores faster.
locals {
  copies = var.backup_vault_arn == null ? {} : { elsewhere = var.backup_vault_arn }

  own_vault_arn       = "arn:aws:backup:${var.region}:${var.account_id}:backup-vault:bbws-products-${local.env}"
  recovery_points_arn = "arn:aws:backup:${var.region}:${var.account_id}:recovery-point"
}

data "aws_kms_alias" "backups" {
  for_each = local.copies

  name = "alias/bbws-products-backups-${local.env}"
}

resource "aws_backup_vault" "table" {
  for_each = local.copies

  name        = "bbws-products-${local.env}"
  kms_key_arn = data.aws_kms_alias.backups[each.key].target_key_arn
}

# Nobody deletes a backup before its time, and only the other account may copy one back.
resource "aws_backup_vault_policy" "table" {
  for_each = aws_backup_vault.table

  backup_vault_name = each.value.name
  policy = templatefile("${path.module}/policies/vault.json.tftpl", {
    vault_arn  = local.own_vault_arn
    account_id = split(":", var.backup_vault_arn)[4]
  })
}

resource "aws_backup_plan" "table" {
  for_each = aws_backup_vault.table

  name = "bbws-products-${local.env}"

  # Twice a day, so that each day has a copy that the alarm backup-copies can count.
  rule {
    rule_name         = "copy"
    target_vault_name = each.value.name
    schedule          = "cron(0 1,13 * * ? *)"
    start_window      = 60
    completion_window = 360

    lifecycle {
      delete_after = 7
    }

    copy_action {
      destination_vault_arn = var.backup_vault_arn

      lifecycle {
        delete_after = var.backup_days
      }
    }
  }
}

resource "aws_backup_selection" "table" {
  for_each = aws_backup_plan.table

  name         = "table"
  plan_id      = each.value.id
  iam_role_arn = aws_iam_role.backup[each.key].arn
  resources    = [local.live_table_arn]
}

resource "aws_iam_role" "backup" {
  for_each = local.copies

  name                 = "bbws-products-backup-role-${local.env}"
  permissions_boundary = local.boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "backup" {
  for_each = aws_iam_role.backup

  name = "copy-the-table"
  role = each.value.id
  policy = templatefile("${path.module}/policies/backup.json.tftpl", {
    table_arn           = local.live_table_arn
    own_vault_arn       = local.own_vault_arn
    copy_vault_arn      = var.backup_vault_arn
    recovery_points_arn = local.recovery_points_arn
    backups_key_arn     = coalesce(data.aws_kms_alias.backups[each.key].target_key_arn, "arn:aws:kms:${var.region}:${var.account_id}:key/backups-of-deploy-bootstrap")
  })
}
