terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.45"
    }
  }

  # Bucket, key and region are in environments/*.tfbackend; the lock is a file next to the state.
  backend "s3" {}
}
