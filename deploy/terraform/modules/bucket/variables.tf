variable "name" {
  type = string
}

variable "lock" {
  description = "Object Lock with a default retention; null is none."
  type        = object({ mode = string, days = number })
  default     = null
}

variable "expire_days" {
  description = "Objects are deleted after so many days; null is never."
  type        = number
  default     = null
}

variable "cloudfront_distributions" {
  description = "Distributions that may read objects."
  type        = list(string)
  default     = []
}

variable "logs_of_account" {
  description = "The account whose logs of CloudFront and of load balancers AWS may deliver here; null is none."
  type        = string
  default     = null
}
