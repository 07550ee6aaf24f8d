variable "name" {
  type = string
}

variable "account_id" {
  type = string
}

variable "flow_log_role_name" {
  type = string
}

variable "boundary_arn" {
  type = string
}

variable "region" {
  type = string
}

variable "cidr" {
  type = string
}

variable "availability_zones" {
  type = list(string)

  validation {
    condition     = length(var.availability_zones) >= 2
    error_message = "A load balancer needs two availability zones."
  }
}

variable "retention_days" {
  type = number
}
