variable "environment" {
  type = string
}

variable "region" {
  type = string
}

variable "account_id" {
  type = string
}

variable "image" {
  type = string
}

variable "certificate_arn" {
  description = "The certificate of the admin's domain."
  type        = string
}

variable "domain_name" {
  description = "The admin's domain name."
  type        = string
}

variable "network" {
  type = object({ vpc_id = string, public_subnet_ids = list(string), private_subnet_ids = list(string) })
}

variable "admin_cidrs" {
  description = "IP ranges that may reach the admin."
  type        = list(string)
}

variable "consume_queues" {
  description = "Whether workers and a scheduler run here; if not, functions consume the queues."
  type        = bool
}

variable "web_count" {
  type = number
}

variable "worker_counts" {
  type = object({ least = number, most = number })
}

variable "database" {
  type = object({ class = string, multi_az = bool })
}

variable "deletion_protection" {
  type = bool
}

variable "retention_days" {
  type = number
}

variable "log_bucket" {
  type = string
}

variable "policies" {
  description = "The folder of policy templates."
  type        = string
}

variable "policy_names" {
  type = map(string)
}

variable "mail_port" {
  description = "The port of the mail server, if e-mails are sent."
  type        = number
}

variable "secret_arns" {
  description = "ARNs of SSM parameters, by environment variable."
  type        = map(string)
}

variable "boundary_arn" {
  type = string
}

variable "database_key_arn" {
  description = "The SSM parameter with the password of the application's database role."
  type        = string
}

variable "secrets_key_arn" {
  type = string
}

variable "settings" {
  description = "Environment variables of every process."
  type        = map(string)
}
