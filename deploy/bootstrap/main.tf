# Applied once an account, by hand, with an administrator's credentials; its state stays with whoever applied it.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.45"
    }
  }
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = {
      Project     = "bbws-products"
      Environment = var.environment
      ManagedBy   = "terraform-bootstrap"
    }
  }
}
