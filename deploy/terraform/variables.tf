variable "environment" {
  description = "The environment's name, which all resource names contain."
  type        = string

  validation {
    condition     = contains(["dev", "sit", "prod"], var.environment)
    error_message = "The environment must be dev, sit or prod."
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
  description = "The owner, for the tag Owner."
  type        = string
  default     = "bbws-products"
}

# The code

variable "package_bucket" {
  description = "The bucket of built zips; by default the one from deploy/bootstrap."
  type        = string
  default     = null
}

variable "package_key" {
  description = "The zip's key in the bucket. It contains the SHA-256, so the same key is the same code."
  type        = string

  validation {
    condition     = can(regex("[0-9a-f]{64}\\.zip$", var.package_key))
    error_message = "The key must end with the zip's SHA-256 in hex and .zip."
  }
}

variable "package_hash" {
  description = "The zip's SHA-256 in base64."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9+/]{43}=$", var.package_hash))
    error_message = "It must be a SHA-256 in base64, with 44 characters."
  }
}

variable "architecture" {
  description = "arm64 is cheaper; use x86_64 in regions without arm64. The zip must be built for it."
  type        = string
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "The architecture must be arm64 or x86_64."
  }
}

variable "memory_mb" {
  type    = number
  default = 256
}

variable "log_level" {
  description = "The lowest level that is logged. Lines with a metric are always written."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["INFO", "WARNING", "ERROR"], var.log_level)
    error_message = "The log level must be INFO, WARNING or ERROR."
  }
}

variable "provisioned_concurrency" {
  description = "Instances of functions kept ready, by short name: { list = 2 }. Each costs money day and night."
  type        = map(number)
  default     = {}

  validation {
    condition     = length(setsubtract(keys(var.provisioned_concurrency), keys(local.functions))) == 0
    error_message = "There is no function with this name."
  }
}

variable "extra_environment" {
  description = "More settings of the application (docs/settings.md): { LOG_SAMPLE_READS = \"0.1\" }."
  type        = map(string)
  default     = {}

  validation {
    condition = length(setintersection(keys(var.extra_environment), [
      "SECRET_KEY", "SECRET_KEY_FALLBACKS", "TOKEN_KEYS", "OIDC_CLIENT_SECRET", "EMAIL_HOST_PASSWORD",
      "PGPASSWORD", "DATABASE_ROLE_PASSWORD",
    ])) == 0
    error_message = "A secret belongs into a parameter of SSM (deploy/keys.sh), not into Terraform's state."
  }
  validation {
    condition = lookup(var.extra_environment, "JWKS_URL", "") == "" || alltrue([
      for name in ["JWKS_ISSUER", "JWKS_AUDIENCE"] : lookup(var.extra_environment, name, "") != ""
    ])
    error_message = "JWKS_URL needs JWKS_ISSUER and JWKS_AUDIENCE; no function starts without them."
  }
}

# Queue consumers

variable "consumers" {
  description = "What consumes the queues: functions (lambda) or containers. A queue has only one consumer."
  type        = string
  default     = "lambda"

  validation {
    condition     = contains(["lambda", "containers"], var.consumers)
    error_message = "consumers must be lambda or containers."
  }
  validation {
    condition     = var.consumers == "lambda" || var.enable_containers
    error_message = "consumers = containers requires enable_containers."
  }
}

variable "consumer_concurrency" {
  description = "The most instances of each consumer function. Lambda refuses less than 2."
  type        = number
  default     = 10

  validation {
    condition     = var.consumer_concurrency >= 2
    error_message = "Lambda refuses a maximum concurrency below 2."
  }
}

variable "account_concurrency" {
  description = "The account's limit of concurrent Lambda executions, which the preflight compares."
  type        = number
  default     = 1000
}

variable "enable_containers" {
  description = "Run the admin, and optionally workers, in ECS Fargate with a PostgreSQL database."
  type        = bool
  default     = false
}

variable "containers" {
  description = "Settings of the containers; image must contain a digest."
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
    admin_cidrs        = list(string)
  })
  default = null

  validation {
    condition     = !var.enable_containers || var.containers != null
    error_message = "enable_containers needs containers = { image, certificate_arn, domain_name, availability_zones, admin_cidrs }."
  }
  validation {
    condition     = var.containers == null || can(regex("@sha256:[0-9a-f]{64}$", var.containers.image))
    error_message = "The image must be named by its digest, so that the tested image runs."
  }
  validation {
    condition     = alltrue([for cidr in try(var.containers.admin_cidrs, []) : tonumber(split("/", cidr)[1]) >= 8])
    error_message = "admin_cidrs must name networks of staff; the admin is not for the whole internet."
  }
}

variable "people" {
  description = "How staff log in besides passwords, and who sends their e-mails (docs/settings.md)."
  type = object({
    second_factor_for  = optional(list(string), [])
    former_secret_keys = optional(bool, false)
    oidc = optional(object({
      issuer       = string
      client_id    = string
      name         = optional(string, "company account")
      groups_claim = optional(string, "")
      groups       = optional(map(string), {})
    }))
    email = optional(object({
      host = string
      port = optional(number, 587)
      from = string
      user = optional(string, "")
    }))
  })
  default = {}

  validation {
    condition     = var.people.oidc == null || can(regex("^https://", var.people.oidc.issuer))
    error_message = "The issuer's address must begin with https://."
  }
  validation {
    condition     = try((var.people.oidc.groups_claim == "") == (length(var.people.oidc.groups) == 0), true)
    error_message = "groups_claim and groups belong together; containers refuse to start with one of them."
  }
  validation {
    condition     = alltrue([for name in var.people.second_factor_for : name == "everybody" || can(regex("^[^.]+[.][^.]+$", name))])
    error_message = "second_factor_for takes permissions such as products.operate_product, or \"everybody\"."
  }
  validation {
    condition     = try(var.people.email.port, 587) != 465 && can(regex("@", try(var.people.email.from, "@")))
    error_message = "The mail server must speak STARTTLS, which port 465 does not, and \"from\" is a mail address."
  }
}

# Search

variable "enable_opensearch" {
  description = "Create an OpenSearch domain. Without one, search scans a limited part of the table."
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
  description = "Origins whose browser scripts may call the API."
  type        = list(string)
  default     = []
}

variable "api_domain" {
  description = "A custom domain for the API, with its certificate in us-east-1. Without it, CloudFront's domain is used."
  type        = object({ name = string, certificate_arn = string })
  default     = null
}

variable "rate_limit" {
  description = "Maximum requests per second that reach API Gateway: in total, for each writing method, and for batches of up to 100 writes."
  type        = object({ all = number, writes = number, batches = number })
  default     = { all = 100, writes = 50, batches = 1 }
}

variable "client_rate_limit" {
  description = "Requests of one IP address in five minutes, above which WAF refuses more."
  type        = number
  default     = 3000
}

variable "web_acl_arn" {
  description = "Another WAF web ACL (CLOUDFRONT scope) for the distribution, in place of our rate rule."
  type        = string
  default     = null
}

variable "enable_cloudfront_cache" {
  description = "Cache responses in CloudFront. Without the cache, CloudFront forwards every request, and no change purges anything."
  type        = bool
  default     = true
}

variable "edge_key" {
  description = "Which of the two API keys CloudFront sends, a or b. To rotate: switch, apply, then replace the other."
  type        = string
  default     = "a"

  validation {
    condition     = contains(["a", "b"], var.edge_key)
    error_message = "The edge key must be a or b."
  }
}

# Retention and monitoring

variable "log_retention_days" {
  type = number

  validation {
    condition     = contains([90, 180, 365], var.log_retention_days)
    error_message = "The log retention must be 90, 180 or 365 days."
  }
}

variable "audit_lock" {
  description = "The lock on audit records. In COMPLIANCE mode nobody can delete a record, not even the account's owner."
  type        = object({ mode = string, days = number, expire_days = number })

  validation {
    condition     = contains(["GOVERNANCE", "COMPLIANCE"], var.audit_lock.mode)
    error_message = "The mode must be GOVERNANCE or COMPLIANCE."
  }
  validation {
    condition     = var.audit_lock.days <= var.audit_lock.expire_days
    error_message = "A record can't expire while it is locked."
  }
}

variable "append_account_id" {
  description = "Append the account id to the audit bucket's name, if another account has taken the plain name."
  type        = bool
  default     = false
}

variable "audit_bucket" {
  description = "The audit bucket's name, in place of the usual one."
  type        = string
  default     = null
}

variable "restored_table" {
  description = "A table restored from a backup, which the application uses in place of its own."
  type        = string
  default     = null
}

variable "backup_vault_arn" {
  description = "A vault of AWS Backup in another account or region (deploy/backups), to which backups of the table are copied; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.backup_vault_arn == null || can(regex("^arn:aws:backup:[a-z0-9-]+:[0-9]{12}:backup-vault:[A-Za-z0-9_-]{2,50}$", var.backup_vault_arn))
    error_message = "It must be the ARN of a backup vault."
  }
  validation {
    condition     = !startswith(coalesce(var.backup_vault_arn, "none"), "arn:aws:backup:${var.region}:${var.account_id}:")
    error_message = "The vault must be in another account or region."
  }
}

variable "backup_days" {
  description = "Days after which a copy is deleted; within the limits of the vault's lock."
  type        = number
  default     = 35
}

variable "deletion_protection" {
  description = "Protect the table and the database against deletion."
  type        = bool
  default     = true
}

variable "alert_emails" {
  description = "Mail addresses that alarms notify; each must confirm a mail from SNS. There is no default, so that nobody forgets it: set TF_VAR_alert_emails."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) > 0
    error_message = "Without an address, alarms tell nobody."
  }
}

variable "page_emails" {
  description = "Mail addresses for the alarm that wakes somebody, e.g. a pager's; by default alert_emails."
  type        = list(string)
  default     = null
}

variable "monthly_budget" {
  description = "US dollars a month. Mails go out at 80 % of it, and when AWS forecasts more than all of it."
  type        = number
}
