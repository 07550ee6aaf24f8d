variables {
  name           = "bbws-product-list-dev"
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

run "pinned" {
  command = plan

  variables {
    live_version = "7"
  }

  assert {
    condition     = aws_lambda_alias.live.function_version == "7"
    error_message = "The alias must point to the pinned version."
  }
}
