variable "name" {
  type = string
}

variable "role_name" {
  type = string
}

variable "boundary_arn" {
  description = "The policy that bounds what the role may be allowed."
  type        = string
}

variable "description" {
  type = string
}

variable "handler" {
  type = string
}

variable "package" {
  description = "The zip's bucket and key, and its SHA-256 in base64."
  type        = object({ bucket = string, key = string, hash = string })
}

variable "architecture" {
  type = string
}

variable "memory_mb" {
  type = number
}

variable "timeout" {
  description = "The function's timeout in seconds."
  type        = number

  validation {
    condition     = var.timeout < 29
    error_message = "API Gateway's timeout is 29 seconds; a longer function timeout is useless."
  }
}

variable "environment" {
  type = map(string)
}

variable "policy_file" {
  description = "The path of the function's policy, a JSON template."
  type        = string
}

variable "policy_names" {
  description = "The values of the policy's placeholders, except log_group_arn."
  type        = map(string)
}

variable "retention_days" {
  type = number
}

variable "provisioned" {
  description = "Instances kept ready; 0 means none."
  type        = number
  default     = 0
}
