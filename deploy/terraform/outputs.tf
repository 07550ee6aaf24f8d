output "api_url" {
  description = "Where clients find the API."
  value       = "https://${local.api_host}/v1.0"
}

output "distribution_id" {
  value = aws_cloudfront_distribution.api.id
}

output "rest_api_id" {
  value = module.api.id
}

output "table" {
  value = aws_dynamodb_table.products.name
}

output "functions" {
  description = "The functions' names by their short ones."
  value       = { for name, function in module.function : name => function.name }
}

output "settings" {
  description = "Where things are, as the application is told."
  value       = merge(local.where_things_are, local.for_requests, local.for_effects, { SECRETS_SSM_PREFIX = local.secrets_prefix })
}

output "live_versions" {
  description = "What is live now; as -var live_versions=… it is the way back to it."
  value       = { for name, function in module.function : name => function.live_version }
}

output "media_bucket" {
  value = module.media_bucket.name
}

output "alerts_topic_arn" {
  value = aws_sns_topic.alerts.arn
}

output "admin_url" {
  value = var.enable_containers ? "https://${var.containers.domain_name}/admin/" : null
}

output "migrate" {
  description = "What `aws ecs run-task` needs to bring the database up to date."
  value       = var.enable_containers ? module.containers[0].migrate : null
}
