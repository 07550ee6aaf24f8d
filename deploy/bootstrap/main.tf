# Applied by hand, once per account, with an administrator's credentials. The state stays in this folder.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.45"
    }
  }
}

locals {
  tags = {
    Project     = "bbws-products"
    Environment = var.environment
    ManagedBy   = "terraform-bootstrap"
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}

# CloudFront's alarms are in this region only.
provider "aws" {
  alias               = "us_east_1"
  region              = "us-east-1"
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}
