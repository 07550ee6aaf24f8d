output "api_url" {
  description = "The URL of the API."
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
  description = "The full names of the functions, by short name."
  value       = { for name, function in module.function : name => function.name }
}

output "settings" {
  description = "The settings of the application, as deploy/validate.sh needs them."
  value = merge(local.where_things_are, local.for_requests, local.for_effects, {
    SECRETS_SSM_PREFIX  = local.secrets_prefix
    DELETION_PROTECTION = var.deletion_protection ? "1" : "0"
  })
}

output "published_versions" {
  description = "The newest version of each function, by full name; deploy/promote.py makes it live."
  value       = { for name, function in module.function : function.name => function.published_version }
}

output "live_versions" {
  description = "The version of each function that is called, by full name."
  value       = { for name, function in module.function : function.name => function.live_version }
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

output "services" {
  description = "The ECS cluster and its services, to wait for."
  value       = var.enable_containers ? { cluster = module.containers[0].cluster, services = module.containers[0].services } : null
}

output "migrate" {
  description = "The arguments of `aws ecs run-task` for the database migration."
  value       = var.enable_containers ? module.containers[0].migrate : null
}
