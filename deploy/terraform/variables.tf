variable "environment" {
  description = "A part of every name."
  type        = string

  validation {
    condition     = contains(["dev", "sit", "prod"], var.environment)
    error_message = "The environment is one of dev, sit, prod."
  }
}

variable "region" {
  description = "dev and sit are in eu-west-1, prod is in af-south-1."
  type        = string
}

variable "account_id" {
  description = "The account of this environment; Terraform touches no other."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id has 12 digits."
  }
}

variable "owner" {
  description = "Who answers for it, as a tag."
  type        = string
  default     = "bbws-products"
}

# The code

variable "package_bucket" {
  description = "The bucket of built zips; by default the one that deploy/bootstrap made."
  type        = string
  default     = null
}

variable "package_key" {
  description = "The zip's key, which holds its SHA-256: the same key is the same code."
  type        = string

  validation {
    condition     = can(regex("[0-9a-f]{64}\\.zip$", var.package_key))
    error_message = "The key ends with the zip's SHA-256 in hex and .zip."
  }
}

variable "package_hash" {
  description = "The zip's SHA-256 in base64."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+/]{43}=$", var.package_hash))
    error_message = "A SHA-256 in base64 has 44 characters."
  }
}

variable "architecture" {
  description = "arm64 is cheaper; x86_64 where a region has no arm64. The zip must be built for it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture is arm64 or x86_64."
  }
}

variable "memory_mb" {
  type    = number
  default = 256
}

variable "live_versions" {
  description = "Versions to which functions are pinned, by short name, to go back: { list = \"12\" }. The others are live at their newest."
  type        = map(string)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.live_versions), keys(local.functions))) == 0
    error_message = "There is no function of such a name."
  }
}

# Who consumes the queues

variable "consumers" {
  description = "What consumes the queues: a queue has one consumer, so it is either the functions or the containers."
  type        = string
  default     = "lambda"

  validation {
    condition     = contains(["lambda", "containers"], var.consumers)
    error_message = "The consumers are lambda or containers."
  }
  validation {
    condition     = var.consumers == "lambda" || var.enable_containers
    error_message = "Containers can only consume the queues where enable_containers is set; else nobody would."
  }
}

variable "enable_containers" {
  description = "The admin, and whoever wants workers instead of functions, in ECS Fargate with a PostgreSQL database."
  type        = bool
  default     = false
}

variable "containers" {
  description = "What the containers need; image is ignored by nobody and must hold a digest."
  type = object({
    image              = string
    certificate_arn    = string
    domain_name        = string
    availability_zones = list(string)
    cidr               = optional(string, "10.20.0.0/16")
    web_count          = optional(number, 2)
    worker_counts      = optional(object({ least = number, most = number }), { least = 1, most = 10 })
    database_class     = optional(string, "db.t4g.micro")
    database_multi_az  = optional(bool, false)
    admin_cidrs        = optional(list(string), ["0.0.0.0/0"])
  })
  default = null

  validation {
    condition     = !var.enable_containers || var.containers != null
    error_message = "enable_containers needs containers = { image, certificate_arn, domain_name, availability_zones }."
  }
  validation {
    condition     = var.containers == null || can(regex("@sha256:[0-9a-f]{64}$", var.containers.image))
    error_message = "The image is named by its digest, so that what was tested is what runs."
  }
}

# Search

variable "enable_opensearch" {
  description = "Without it, search walks the table within bounds."
  type        = bool
  default     = true
}

variable "opensearch" {
  type = object({
    instance_type  = optional(string, "t3.small.search")
    instance_count = optional(number, 1)
    volume_gb      = optional(number, 10)
  })
  default = {}
}

# The API

variable "cors_allowed_origins" {
  description = "Browser origins that may call the API."
  type        = list(string)
  default     = []
}

variable "api_domain" {
  description = "A name of one's own for the API with its certificate in us-east-1; without it, CloudFront's."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "rate_limit" {
  description = "Requests a second that reach the API behind the cache: all together, and to each way of writing."
  type        = object({ all = number, writes = number })
  default     = { all = 100, writes = 50 }
}

variable "web_acl_arn" {
  description = "A WAF of the account's own (CLOUDFRONT scope) in front of everything."
  type        = string
  default     = null
}

# Keeping and watching

variable "log_retention_days" {
  type = number

  validation {
    condition     = contains([90, 180, 365], var.log_retention_days)
    error_message = "Logs are kept for 90 days in dev, 180 in sit, 365 in prod."
  }
}

variable "audit_lock" {
  description = "How audit records are locked. COMPLIANCE lets nobody delete one, not even the account's owner."
  type        = object({ mode = string, days = number, expire_days = number })

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock.mode)
    error_message = "The mode is GOVERNANCE or COMPLIANCE."
  }
  validation {
    condition     = var.audit_lock.days <= var.audit_lock.expire_days
    error_message = "A record can't expire while it is locked."
  }
}

variable "deletion_protection" {
  description = "Of the table and the database."
  type        = bool
  default     = true
}

variable "alert_emails" {
  description = "Who is told of alarms; each has to confirm by mail."
  type        = list(string)
  default     = []
}
