variable "environment" {
  description = "The environment in this account; also the name of the GitHub environment that may deploy to it."
  type        = string

  validation {
    condition     = contains(["dev", "sit", "prod"], var.environment)
    error_message = "The environment must be dev, sit or prod."
  }
}

variable "region" {
  type = string
}

variable "account_id" {
  type = string
}

variable "github_repository" {
  description = "The repository as OWNER/NAME; GitHub's tokens name it in their subject."
  type        = string

  validation {
    condition     = can(regex("^[^/@]+/[^/@]+$", var.github_repository))
    error_message = "It must be OWNER/NAME."
  }
}

variable "github_owner_id" {
  description = "The numeric id of the repository's owner: gh api repos/OWNER/NAME --jq .owner.id"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_owner_id))
    error_message = "It must be the numeric id, not the owner's name."
  }
}

variable "append_account_id" {
  description = "Append the account id to the state bucket's name, if another account has taken the plain name."
  type        = bool
  default     = false
}

variable "backup_account_id" {
  description = "The account that keeps copies of the backups (deploy/backups); null: none, or this one."
  type        = string
  default     = null
}

variable "github_repository_id" {
  description = "The repository's numeric id, which a rename does not change: gh api repos/OWNER/NAME --jq .id"
  type        = string

  validation {
    condition     = can(regex("^[0-9]+$", var.github_repository_id))
    error_message = "It must be the numeric id, not the repository's name."
  }
}

variable "first_in_account" {
  description = "Whether to create what exists once per account: GitHub's OIDC provider and API Gateway's log role. Set to false if another environment in the account did."
  type        = bool
  default     = true
}
