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
