# The buckets for Terraform's state and lock, and for built zips and approved plans.
locals {
  buckets = {
    state     = "bbws-terraform-state-${var.environment}${var.append_account_id ? "-${var.account_id}" : ""}"
    artefacts = "bbws-products-artefacts-${var.account_id}-${var.region}"
  }
}

module "bucket" {
  source   = "../terraform/modules/bucket"
  for_each = local.buckets

  name            = each.value
  expire_prefix   = each.key == "artefacts" ? "plans/" : null
  expire_days     = each.key == "artefacts" ? 7 : null
  noncurrent_days = each.key == "state" ? 365 : 30
}

resource "aws_ecr_repository" "products" {
  name                 = "bbws-products"
  image_tag_mutability = "IMMUTABLE"

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "AES256"
  }
}

resource "aws_ecr_lifecycle_policy" "products" {
  repository = aws_ecr_repository.products.name
  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last 30 images"
      selection    = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }
      action       = { type = "expire" }
    }]
  })
}
