output "state_bucket" {
  value = module.bucket["state"].name
}

output "artefact_bucket" {
  value = module.bucket["artefacts"].name
}

output "image_repository" {
  value = aws_ecr_repository.products.repository_url
}

output "roles" {
  description = "The values of GitHub's variables AWS_PLAN_ROLE and AWS_APPLY_ROLE."
  value       = { for name, role in aws_iam_role.github : name => role.arn }
}
