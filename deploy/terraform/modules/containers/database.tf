# Users, sessions and API tokens; products are in DynamoDB.
resource "aws_db_instance" "this" {
  identifier     = local.name
  engine         = "postgres"
  engine_version = "17"
  instance_class = var.database.class
  db_name        = "bbws"
  username       = "bbws"

  manage_master_user_password = true

  allocated_storage     = 20
  max_allocated_storage = 100
  storage_type          = "gp3"
  storage_encrypted     = true

  multi_az               = var.database.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.database.id]
  publicly_accessible    = false
  parameter_group_name   = aws_db_parameter_group.this.name

  backup_retention_period         = 14
  copy_tags_to_snapshot           = true
  deletion_protection             = var.deletion_protection
  skip_final_snapshot             = !var.deletion_protection
  final_snapshot_identifier       = "${local.name}-final-${formatdate("YYYYMMDDhhmm", plantimestamp())}"
  auto_minor_version_upgrade      = true
  performance_insights_enabled    = true
  enabled_cloudwatch_logs_exports = ["postgresql"]

  lifecycle {
    ignore_changes = [final_snapshot_identifier] # its time only makes the name new
  }

  depends_on = [aws_cloudwatch_log_group.database]
}

# RDS creates the secret. A plan against the offline provider has no name for it.
locals {
  database_secret_arn = coalesce(one(lookup(aws_db_instance.this, "master_user_secret", [])[*].secret_arn), "made-by-rds")
}

resource "aws_cloudwatch_log_group" "database" {
  name              = "/aws/rds/instance/${local.name}/postgresql"
  retention_in_days = var.retention_days
}

resource "aws_db_parameter_group" "this" {
  name   = local.name
  family = "postgres17"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }

  parameter {
    name  = "log_min_duration_statement"
    value = "1000"
  }
}

resource "aws_db_subnet_group" "this" {
  name       = local.name
  subnet_ids = var.network.private_subnet_ids
}

# Only migrations use the master's password, and each reads it at its start. So RDS may rotate it.
resource "aws_secretsmanager_secret_rotation" "database" {
  secret_id          = local.database_secret_arn
  rotate_immediately = false

  rotation_rules {
    automatically_after_days = 30
  }
}

resource "aws_security_group" "database" {
  name        = "${local.name}-database"
  description = "From the tasks only"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id            = aws_security_group.database.id
  description                  = "PostgreSQL from the tasks"
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.task.id
}
