# Invalid variables are refused before anything is created.
variables {
  environment        = "dev"
  region             = "eu-west-1"
  account_id         = "111111111111"
  package_key        = "products-lambda/0000000000000000000000000000000000000000000000000000000000000000.zip"
  package_hash       = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
  log_retention_days = 90
  audit_lock         = { mode = "GOVERNANCE", days = 30, expire_days = 365 }
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

run "a_version_of_no_function" {
  command = plan

  variables {
    live_versions = { search = "3" }
  }

  expect_failures = [var.live_versions]
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
    }
  }

  expect_failures = [var.containers]
}

run "back_to_an_earlier_version" {
  command = plan

  variables {
    live_versions = { list = "12" }
  }

  assert {
    condition     = output.live_versions["list"] == "12"
    error_message = "The alias must point to the pinned version."
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
