variable "name" {
  type = string
}

variable "stage" {
  type    = string
  default = "live"
}

variable "routes" {
  description = "For each address its methods, and for each method the function that answers."
  type        = map(map(string))
}

variable "functions" {
  description = "The functions by the names that routes use."
  type        = map(object({ name = string, alias = string, invoke_arn = string }))
}

variable "rate_limit" {
  description = "Requests a second: all together, and to each way of writing."
  type        = object({ all = number, writes = number })
}

variable "retention_days" {
  type = number
}
