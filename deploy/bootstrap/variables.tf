variable "environment" {
  description = "The environment this account holds; also the name of GitHub's environment that may deploy to it."
  type        = string

  validation {
    condition     = contains(["dev", "sit", "prod"], var.environment)
    error_message = "The environment is one of dev, sit, prod."
  }
}

variable "region" {
  type = string
}

variable "account_id" {
  type = string
}

variable "github_repository_id" {
  description = "The repository's number, which stays when it is renamed: gh api repos/OWNER/NAME --jq .id"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "It is a number, not the repository's name."
  }
}

variable "first_in_account" {
  description = "False where another environment of the same account made what exists once an account: GitHub's OIDC provider, and API Gateway's role for logs."
  type        = bool
  default     = true
}
