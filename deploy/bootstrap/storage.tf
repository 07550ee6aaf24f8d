# The buckets for Terraform's state and lock, and for built zips.
module "bucket" {
  source   = "../terraform/modules/bucket"
  for_each = toset(["state", "artefacts"])

  name = "bbws-products-${each.key}-${var.account_id}-${var.region}"
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
