resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.retention_days
}

resource "aws_iam_role" "this" {
  name                 = var.role_name
  permissions_boundary = var.boundary_arn
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name   = "function"
  role   = aws_iam_role.this.id
  policy = templatefile(var.policy_file, merge(var.policy_names, { log_group_arn = aws_cloudwatch_log_group.this.arn }))
}

resource "aws_lambda_function" "this" {
  function_name    = var.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = "python3.12"
  architectures    = [var.architecture]
  handler          = var.handler
  memory_size      = var.memory_mb
  timeout          = var.timeout
  s3_bucket        = var.package.bucket
  s3_key           = var.package.key
  source_code_hash = var.package.hash
  publish          = true

  environment {
    variables = var.environment
  }

  logging_config {
    log_format = "Text" # the application itself writes JSON lines
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_iam_role_policy.this] # otherwise the first call may come before the permissions
}

# Terraform publishes a version but does not make it live: deploy/promote.py calls it first, and then
# points the alias to it (blue/green). So a rollback is no drift, and the next apply does not undo it.
resource "aws_lambda_alias" "live" {
  name             = "live"
  description      = "The version that is called; deploy/promote.py and deploy/rollback.py move it"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version

  lifecycle {
    ignore_changes = [function_version]
  }
}

# Asynchronous calls come from the scheduler only, and the next one does the same work.
resource "aws_lambda_function_event_invoke_config" "live" {
  function_name                = aws_lambda_function.this.function_name
  qualifier                    = aws_lambda_alias.live.name
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
}

resource "aws_lambda_provisioned_concurrency_config" "live" {
  count = var.provisioned > 0 ? 1 : 0

  function_name                     = aws_lambda_function.this.function_name
  qualifier                         = aws_lambda_alias.live.name
  provisioned_concurrent_executions = var.provisioned
}
