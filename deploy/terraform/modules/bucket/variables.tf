variable "name" {
  type = string
}

variable "lock" {
  description = "Object Lock's default retention; null means no lock."
  type        = object({ mode = string, days = number })
  default     = null
}

variable "expire_days" {
  description = "Days after which objects are deleted; null means never."
  type        = number
  default     = null
}

variable "expire_prefix" {
  description = "Only objects whose keys begin like this are deleted; null means all."
  type        = string
  default     = null
}

variable "noncurrent_days" {
  description = "Days after which overwritten and deleted versions are gone."
  type        = number
  default     = 30
}

variable "cloudfront_distributions" {
  description = "CloudFront distributions that may read objects."
  type        = list(string)
  default     = []
}

variable "logs_of_account" {
  description = "The account whose CloudFront and load balancer logs AWS may deliver here; null means none."
  type        = string
  default     = null
}

variable "log_regions" {
  description = "The regions from which logs are delivered."
  type        = list(string)
  default     = []
}
