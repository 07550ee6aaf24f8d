locals {
  trust = templatefile("${var.policies}/trust-service.json.tftpl", {
    service    = "ecs-tasks.amazonaws.com"
    account_id = var.account_id
  })
}

# What ECS does to start a task: pull the image, read secrets, write logs.
resource "aws_iam_role" "execution" {
  name                 = "bbws-products-execution-role-${var.environment}"
  permissions_boundary = var.boundary_arn
  assume_role_policy   = local.trust
}

resource "aws_iam_role_policy" "execution" {
  name = "start-tasks"
  role = aws_iam_role.execution.id
  policy = templatefile("${var.policies}/execution.json.tftpl", {
    repository_arn      = "arn:aws:ecr:${var.region}:${var.account_id}:repository/bbws-products"
    log_groups_arn      = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/aws/ecs/${local.name}"
    secrets_arn         = var.policy_names.secrets_arn
    people_secrets_arn  = var.policy_names.people_secrets_arn
    secrets_key_arn     = var.secrets_key_arn
    database_secret_arn = local.database_secret_arn
    database_key_arn    = var.database_key_arn
  })
}

# The application's own roles: web serves staff, worker applies effects.
resource "aws_iam_role" "task" {
  for_each = toset([for what in values(local.running) : what.policy])

  name                 = "bbws-products-${each.key}-role-${var.environment}"
  permissions_boundary = var.boundary_arn
  assume_role_policy   = local.trust
}

resource "aws_iam_role_policy" "task" {
  for_each = aws_iam_role.task

  name   = "task"
  role   = each.value.id
  policy = templatefile("${var.policies}/${each.key}.json.tftpl", var.policy_names)
}
