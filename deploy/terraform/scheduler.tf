# With containers, Celery beat does this.
locals {
  schedules = var.consumers == "lambda" ? {
    relay  = { every = "rate(1 minute)", task = "products.relay" }
    verify = { every = "rate(5 minutes)", task = "products.verify" }
  } : {}
}

resource "aws_scheduler_schedule" "task" {
  for_each = local.schedules

  name                = "bbws-product-${each.key}-${local.env}"
  description         = "Runs ${each.value.task}"
  schedule_expression = each.value.every

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = module.function["creator"].alias_arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({ task = each.value.task })

    retry_policy {
      maximum_retry_attempts = 0 # the next run does the same work
    }
  }
}

resource "aws_iam_role" "scheduler" {
  name                 = "bbws-product-scheduler-role-${local.env}"
  permissions_boundary = local.boundary_arn
  assume_role_policy = templatefile("${path.module}/policies/trust-service.json.tftpl", {
    service    = "scheduler.amazonaws.com"
    account_id = var.account_id
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "run-tasks"
  role = aws_iam_role.scheduler.id
  policy = templatefile("${path.module}/policies/scheduler.json.tftpl", {
    creator_alias_arn = module.function["creator"].alias_arn
  })
}
