variable "name" {
  type = string
}

variable "dlq_name" {
  type = string
}

variable "visibility_seconds" {
  type = number
}

variable "consumer_timeout" {
  description = "The timeout of the queue's consumer in seconds."
  type        = number
}

variable "wait_seconds" {
  type    = number
  default = 20
}

variable "max_receive_count" {
  type    = number
  default = 3
}

variable "retention_days" {
  type    = number
  default = 4
}

variable "dlq_retention_days" {
  type    = number
  default = 14

  validation {
    condition     = var.dlq_retention_days > var.retention_days
    error_message = "A dead letter keeps its age, so its queue must keep messages longer than the source queue."
  }
}
