variable "name" {
  type = string
}

variable "stage" {
  type    = string
  default = "v1"
}

variable "routes" {
  description = "For each path its methods, and for each method the name of its function."
  type        = map(map(string))
}

variable "functions" {
  description = "The functions, by the names in routes."
  type        = map(object({ name = string, alias = string, invoke_arn = string }))
}

variable "rate_limit" {
  description = "Maximum requests per second: in total, for each writing method, and for batches."
  type        = object({ all = number, writes = number, batches = number })
}

variable "retention_days" {
  type = number
}
