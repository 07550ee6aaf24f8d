variable "name" {
  type = string
}

variable "description" {
  type = string
}

variable "handler" {
  type = string
}

variable "package" {
  description = "Where the zip is, and its SHA-256 in base64."
  type        = object({ bucket = string, key = string, hash = string })
}

variable "architecture" {
  type = string
}

variable "memory_mb" {
  type = number
}

variable "timeout" {
  description = "Seconds after which a call is ended."
  type        = number

  validation {
    condition     = var.timeout < 29
    error_message = "API Gateway gives up after 29 seconds; a function that goes on would work for nobody."
  }
}

variable "environment" {
  type = map(string)
}

variable "policy_file" {
  description = "What the function may do, as a template of JSON."
  type        = string
}

variable "policy_names" {
  description = "What stands for the placeholders in it, besides log_group_arn."
  type        = map(string)
}

variable "retention_days" {
  type = number
}

variable "live_version" {
  description = "The version that is live; null is the newest."
  type        = string
  default     = null
}
