# The vault that keeps copies of the table's backups: in another account, or at least another region.
# Applied by hand, with an administrator's credentials of that account. Its state stays in this folder.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.45"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      Project     = "bbws-products"
      Environment = var.environment
      ManagedBy   = "terraform-backups"
    }
  }
}

# The environment's account may read it, too: it copies a backup back for a restore.
resource "aws_kms_key" "copies" {
  description             = "Encrypts copies of the product catalogue's backups, ${var.environment}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy = templatefile("${path.module}/../bootstrap/policies/key-backups.json.tftpl", {
    account_id = var.account_id
    readers    = jsonencode(distinct([for account in [var.account_id, var.source_account_id] : "arn:aws:iam::${account}:root"]))
  })
}

resource "aws_backup_vault" "copies" {
  name        = "bbws-products-${var.environment}"
  kms_key_arn = aws_kms_key.copies.arn
}

resource "aws_backup_vault_policy" "copies" {
  backup_vault_name = aws_backup_vault.copies.name
  policy = templatefile("${path.module}/policies/vault.json.tftpl", {
    vault_arn         = aws_backup_vault.copies.arn
    source_account_id = var.source_account_id
  })
}

# Nobody can delete a copy before its time. After lock_grace_days nobody can remove the lock either,
# not even AWS; null leaves it removable by an administrator (GOVERNANCE).
resource "aws_backup_vault_lock_configuration" "copies" {
  backup_vault_name   = aws_backup_vault.copies.name
  min_retention_days  = var.min_days
  max_retention_days  = var.max_days
  changeable_for_days = var.lock_grace_days
}
