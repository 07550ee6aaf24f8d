# API Gateway's own error responses never reach Django. They get the same format here, and CORS
# headers, so that scripts can read them. They contain no data, so any origin may read them.
locals {
  errors = {
    DEFAULT_4XX                  = { status = null, message = "$context.error.messageString", retry = false }
    DEFAULT_5XX                  = { status = null, message = "$context.error.messageString", retry = true }
    BAD_REQUEST_BODY             = { status = "400", message = "\"The body must be a JSON object.\"", retry = false }
    THROTTLED                    = { status = "429", message = "$context.error.messageString", retry = true }
    MISSING_AUTHENTICATION_TOKEN = { status = "404", message = "\"There is nothing at this address.\"", retry = false }
  }
}

resource "aws_api_gateway_gateway_response" "this" {
  for_each = local.errors

  rest_api_id   = aws_api_gateway_rest_api.this.id
  response_type = each.key
  status_code   = each.value.status

  response_parameters = merge(
    {
      "gatewayresponse.header.Access-Control-Allow-Origin"   = "'*'"
      "gatewayresponse.header.Access-Control-Allow-Headers"  = "'*'"
      "gatewayresponse.header.Access-Control-Expose-Headers" = "'Retry-After,X-Request-ID'"
      "gatewayresponse.header.Cache-Control"                 = "'no-store'"
      "gatewayresponse.header.X-Request-ID"                  = "context.requestId"
    },
    each.value.retry ? { "gatewayresponse.header.Retry-After" = "'1'" } : {},
  )

  response_templates = {
    "application/json" = join("", [
      "{\"error\":\"$context.error.responseType\",",
      "\"message\":${each.value.message},",
      "\"errors\":{},\"requestId\":\"$context.requestId\"}",
    ])
  }
}
