variables {
  name           = "bbws-list-products-dev"
  role_name      = "bbws-list-products-role-dev"
  boundary_arn   = "arn:aws:iam::111111111111:policy/b"
  description    = "Lists products"
  handler        = "bbws_products.aws_lambda.handler"
  package        = { bucket = "b", key = "k", hash = "h" }
  architecture   = "arm64"
  memory_mb      = 256
  timeout        = 15
  environment    = {}
  policy_file    = "./tests/policy.json.tftpl"
  policy_names   = {}
  retention_days = 90
}

run "longer_than_the_gateway_waits" {
  command = plan

  variables {
    timeout = 29
  }

  expect_failures = [var.timeout]
}

run "no_hidden_retries" {
  command = plan

  assert {
    condition     = aws_lambda_function_event_invoke_config.live.maximum_retry_attempts == 0
    error_message = "Lambda must not retry asynchronous calls."
  }

  assert {
    condition     = length(aws_lambda_provisioned_concurrency_config.live) == 0
    error_message = "By default no instances are kept ready."
  }
}

run "instances_kept_ready" {
  command = plan

  variables {
    provisioned = 3
  }

  assert {
    condition     = aws_lambda_provisioned_concurrency_config.live[0].provisioned_concurrent_executions == 3
    error_message = "The alias must have as many instances as asked for."
  }
}
