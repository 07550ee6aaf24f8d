variable "environment" {
  description = "The environment whose backups are kept."
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
  description = "The account of the vault."
  type        = string
}

variable "source_account_id" {
  description = "The account of the environment, which may copy into the vault."
  type        = string
}

variable "min_days" {
  description = "The shortest time that a copy may be kept; backup_days of the environment must be within both."
  type        = number
  default     = 30
}

variable "max_days" {
  type    = number
  default = 400
}

variable "lock_grace_days" {
  description = "Days after which nobody can remove the lock (at least 3); null: an administrator can."
  type        = number
  default     = null

  validation {
    condition     = var.lock_grace_days == null || try(var.lock_grace_days >= 3, false)
    error_message = "AWS accepts 3 days or more."
  }
}
