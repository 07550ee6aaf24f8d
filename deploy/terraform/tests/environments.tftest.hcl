# Invalid variables are refused before anything is created.
variables {
  environment        = "dev"
  region             = "eu-west-1"
  account_id         = "111111111111"
  package_key        = "products-lambda/0000000000000000000000000000000000000000000000000000000000000000.zip"
  package_hash       = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  log_retention_days = 90
  audit_lock         = { mode = "GOVERNANCE", days = 30, expire_days = 365 }
  alert_emails       = ["alerts@bbws.example"]
  monthly_budget     = 50
}

run "an_environment_that_is_none" {
  command = plan

  variables {
    environment        = "test"
    log_retention_days = 30
    account_id         = "1"
    package_key        = "products.zip"
    package_hash       = "nothing"
    architecture       = "mips"
  }

  expect_failures = [
    var.environment, var.log_retention_days, var.account_id, var.package_key, var.package_hash, var.architecture,
  ]
}

run "queues_that_nobody_would_consume" {
  command = plan

  variables {
    consumers         = "containers"
    enable_containers = false
  }

  expect_failures = [var.consumers]
}

run "records_that_expire_while_they_are_locked" {
  command = plan

  variables {
    audit_lock = { mode = "COMPLIANCE", days = 2555, expire_days = 365 }
  }

  expect_failures = [var.audit_lock]
}

run "instances_of_no_function" {
  command = plan

  variables {
    provisioned_concurrency = { search = 3 }
  }

  expect_failures = [var.provisioned_concurrency]
}

run "alarms_that_tell_nobody" {
  command = plan

  variables {
    alert_emails = []
  }

  expect_failures = [var.alert_emails]
}

run "fewer_instances_than_lambda_accepts" {
  command = plan

  variables {
    consumer_concurrency = 1
    edge_key             = "c"
    log_level            = "WARN"
  }

  expect_failures = [var.consumer_concurrency, var.edge_key, var.log_level]
}

run "an_admin_open_to_the_world" {
  command = plan

  variables {
    enable_containers = true
    containers = {
      image              = "bbws-products@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      certificate_arn    = "arn:aws:acm:eu-west-1:111111111111:certificate/0"
      domain_name        = "admin.example.com"
      availability_zones = ["eu-west-1a", "eu-west-1b"]
      admin_cidrs        = ["0.0.0.0/0"]
    }
  }

  expect_failures = [var.containers]
}

run "an_image_by_a_tag" {
  command = plan

  variables {
    enable_containers = true
    containers = {
      image              = "bbws-products:latest"
      certificate_arn    = "arn:aws:acm:eu-west-1:111111111111:certificate/0"
      domain_name        = "admin.example.com"
      availability_zones = ["eu-west-1a", "eu-west-1b"]
      admin_cidrs        = ["10.0.0.0/8"]
    }
  }

  expect_failures = [var.containers]
}

run "instances_kept_ready" {
  command = plan

  variables {
    provisioned_concurrency = { list = 2 }
  }

  assert {
    condition     = module.function["list"].provisioned == 2 && module.function["get"].provisioned == 0
    error_message = "Only the named function must have instances kept ready."
  }
}

run "a_taken_bucket_name" {
  command = plan

  variables {
    append_account_id = true
  }

  assert {
    condition     = module.audit_bucket.name == "bbws-product-audit-logs-dev-111111111111"
    error_message = "The account id must be appended to the audit bucket's name."
  }
}

run "another_bucket_name" {
  command = plan

  variables {
    audit_bucket = "our-own-name"
  }

  assert {
    condition     = module.audit_bucket.name == "our-own-name"
    error_message = "The audit bucket must have the given name."
  }
}

run "a_restored_table" {
  command = plan

  variables {
    restored_table = "bbws-products-dev-restored"
  }

  assert {
    condition     = local.where_things_are.PRODUCTS_TABLE == "bbws-products-dev-restored"
    error_message = "The application must use the restored table."
  }

  assert {
    condition     = endswith(local.policy_names.table_arn, ":table/bbws-products-dev-restored") && local.table.TableName == "bbws-products-dev-restored"
    error_message = "Permissions and alarms must be about the restored table."
  }
}

run "a_vault_of_the_same_account_and_region" {
  command = plan

  variables {
    backup_vault_arn = "arn:aws:backup:eu-west-1:111111111111:backup-vault:copies"
  }

  expect_failures = [var.backup_vault_arn]
}

run "no_backup_leaves_the_account_by_default" {
  command = plan

  assert {
    condition     = length(aws_backup_plan.table) + length(aws_backup_vault.table) + length(aws_iam_role.backup) == 0 && !contains(keys(local.alarms), "backup-copies")
    error_message = "Without backup_vault_arn there must be no backup plan, no vault and no alarm."
  }
}

run "backups_are_copied_to_the_given_vault" {
  command = plan

  variables {
    backup_vault_arn = "arn:aws:backup:eu-central-1:222222222222:backup-vault:copies"
    backup_days      = 90
    restored_table   = "bbws-products-dev-restored"
  }

  assert {
    condition     = one(one(aws_backup_plan.table["elsewhere"].rule).copy_action).destination_vault_arn == var.backup_vault_arn && one(one(one(aws_backup_plan.table["elsewhere"].rule).copy_action).lifecycle).delete_after == 90
    error_message = "Each backup must be copied to the other account, for the given time."
  }

  assert {
    condition     = one(aws_backup_selection.table["elsewhere"].resources) == "arn:aws:dynamodb:eu-west-1:111111111111:table/bbws-products-dev-restored"
    error_message = "The table that the application uses must be backed up."
  }

  assert {
    condition     = local.alarms["backup-copies"].missing == "breaching"
    error_message = "An alarm must start when no copy is made."
  }
}

run "secrets_in_plain_settings" {
  command = plan

  variables {
    extra_environment = { EMAIL_HOST_PASSWORD = "secret", JWKS_URL = "https://issuer.example/keys" }
    people = {
      second_factor_for = ["operators"]
      oidc              = { issuer = "https://login.example.com", client_id = "c", groups_claim = "groups" }
      email             = { host = "mail.example.com", from = "products", port = 465 }
    }
  }

  expect_failures = [var.extra_environment, var.people]
}

run "former_keys_of_sessions" {
  command = plan

  variables {
    people = { former_secret_keys = true }
  }

  assert {
    condition     = endswith(local.people_secret_arns.SECRET_KEY_FALLBACKS, ":parameter/bbws-products-people/dev/SECRET_KEY_FALLBACKS")
    error_message = "Containers must get the former keys from an encrypted parameter."
  }
}

run "the_other_key" {
  command = plan

  variables {
    web_acl_arn = "arn:aws:wafv2:us-east-1:111111111111:global/webacl/own/0"
    edge_key    = "b"
  }

  assert {
    condition     = length(aws_wafv2_web_acl.clients) == 0 && aws_cloudfront_distribution.api.web_acl_id == var.web_acl_arn
    error_message = "The given web ACL must replace ours."
  }
}

run "without_search" {
  command = plan

  variables {
    enable_opensearch = false
  }

  assert {
    condition     = length(aws_opensearch_domain.products) == 0 && !contains(keys(local.function_environments.api), "OPENSEARCH_URL")
    error_message = "Without search there must be no domain and no address of one."
  }

  assert {
    condition     = local.function_environments.api.ENABLE_OPENSEARCH == "0"
    error_message = "ENABLE_OPENSEARCH must be off without search."
  }
}

run "containers_consume_alone" {
  command = plan

  variables {
    consumers         = "containers"
    enable_containers = true
    containers = {
      image              = "bbws-products@sha256:0000000000000000000000000000000000000000000000000000000000000000"
      certificate_arn    = "arn:aws:acm:eu-west-1:111111111111:certificate/0"
      domain_name        = "admin.example.com"
      availability_zones = ["eu-west-1a", "eu-west-1b"]
      admin_cidrs        = ["10.0.0.0/8"]
    }
  }

  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) == 0 && length(aws_scheduler_schedule.task) == 0
    error_message = "If containers consume the queues, functions and schedules must not."
  }
}

run "functions_consume_by_default" {
  command = plan

  assert {
    condition     = length(aws_lambda_event_source_mapping.queue) == 4 && length(module.containers) == 0
    error_message = "By default each queue must have a function, and there must be no containers."
  }
}
