output "name" {
  value = aws_lambda_function.this.function_name
}

output "alias_arn" {
  value = aws_lambda_alias.live.arn
}

output "invoke_arn" {
  value = aws_lambda_alias.live.invoke_arn
}

output "alias" {
  value = aws_lambda_alias.live.name
}

output "published_version" {
  value = aws_lambda_function.this.version
}

output "live_version" {
  value = aws_lambda_alias.live.function_version
}

output "role_arn" {
  value = aws_iam_role.this.arn
}

output "log_group" {
  value = aws_cloudwatch_log_group.this.name
}

output "timeout" {
  value = var.timeout
}

output "provisioned" {
  value = var.provisioned
}
