resource "aws_api_gateway_deployment" "this" {
  rest_api_id = aws_api_gateway_rest_api.this.id

  triggers = {
    api = sha256(jsonencode([
      local.methods,
      local.resource_ids,
      local.errors,
      aws_api_gateway_method.this,
      aws_api_gateway_integration.this,
      aws_api_gateway_model.object.schema,
    ]))
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_api_gateway_integration.this, aws_api_gateway_gateway_response.this]
}

resource "aws_cloudwatch_log_group" "access" {
  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.retention_days
}

resource "aws_api_gateway_stage" "this" {
  rest_api_id          = aws_api_gateway_rest_api.this.id
  deployment_id        = aws_api_gateway_deployment.this.id
  stage_name           = var.stage
  xray_tracing_enabled = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format = jsonencode({
      requestId          = "$context.requestId"
      time               = "$context.requestTimeEpoch"
      method             = "$context.httpMethod"
      path               = "$context.path"
      resource           = "$context.resourcePath"
      status             = "$context.status"
      bytes              = "$context.responseLength"
      milliseconds       = "$context.responseLatency"
      integration        = "$context.integrationLatency"
      error              = "$context.error.responseType"
      ip                 = "$context.identity.sourceIp"
      userAgent          = "$context.identity.userAgent"
      traceId            = "$context.xrayTraceId"
      integrationFailure = "$context.integrationErrorMessage"
    })
  }
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this.stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR"
    data_trace_enabled     = false # bodies and tokens would stand in the log
    throttling_rate_limit  = var.rate_limit.all
    throttling_burst_limit = 2 * var.rate_limit.all
  }
}

# The edge's key belongs to the first plan. The second is for those who go past the edge, such as operators.
locals {
  plans = {
    edge   = { rate = var.rate_limit.all, writes = var.rate_limit.writes }
    direct = { rate = var.rate_limit.writes, writes = var.rate_limit.writes }
  }
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = local.plans

  name = "${var.name}-${each.key}"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this.stage_name

    dynamic "throttle" {
      for_each = { for key, route in local.methods : key => route if route.writes }

      content {
        path        = "${throttle.value.path}/${throttle.value.method}"
        rate_limit  = each.value.writes
        burst_limit = 2 * each.value.writes
      }
    }
  }

  throttle_settings {
    rate_limit  = each.value.rate
    burst_limit = 2 * each.value.rate
  }
}

resource "aws_api_gateway_api_key" "this" {
  for_each = local.plans

  name        = "${var.name}-${each.key}"
  description = "Made by API Gateway; never written down here"
}

resource "aws_api_gateway_usage_plan_key" "this" {
  for_each = local.plans

  key_id        = aws_api_gateway_api_key.this[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this[each.key].id
}
