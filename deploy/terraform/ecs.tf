module "network" {
  source = "./modules/network"
  count  = var.enable_containers ? 1 : 0

  name               = "bbws-products-${local.env}"
  region             = var.region
  account_id         = var.account_id
  flow_log_role_name = "bbws-products-flow-log-role-${local.env}"
  boundary_arn       = local.boundary_arn
  cidr               = var.containers.cidr
  availability_zones = var.containers.availability_zones
  retention_days     = var.log_retention_days
}

module "containers" {
  source = "./modules/containers"
  count  = var.enable_containers ? 1 : 0

  environment         = local.env
  region              = var.region
  account_id          = var.account_id
  image               = var.containers.image
  certificate_arn     = var.containers.certificate_arn
  domain_name         = var.containers.domain_name
  network             = module.network[0]
  admin_cidrs         = var.containers.admin_cidrs
  consume_queues      = var.consumers == "containers"
  web_count           = var.containers.web_count
  worker_counts       = var.containers.worker_counts
  database            = { class = var.containers.database_class, multi_az = var.containers.database_multi_az }
  deletion_protection = var.deletion_protection
  retention_days      = var.log_retention_days
  log_bucket          = module.log_bucket.log_target
  boundary_arn        = local.boundary_arn
  policy_names        = local.policy_names
  policies            = "${path.module}/policies"
  secret_arns = merge(
    { for name in ["SECRET_KEY", "TOKEN_KEYS"] : name => "${local.secrets_arn}/${name}" },
    local.people_secret_arns,
  )
  database_key_arn = local.database_key_arn
  secrets_key_arn  = local.secrets_key_arn
  mail_port        = try(var.people.email.port, null)
  settings         = merge(local.where_things_are, local.for_requests, local.for_effects, local.for_people)
}
