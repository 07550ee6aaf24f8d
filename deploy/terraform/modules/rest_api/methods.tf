locals {
  methods = merge([
    for path, methods in var.routes : {
      for method, function in methods : "${method} ${path}" => {
        path     = path
        method   = method
        function = function
        writes   = contains(["POST", "PUT", "PATCH", "DELETE"], method)
        # Restorations, actions on a job, reads and DELETE have no body, and an import is no JSON.
        has_body = contains(["POST", "PUT", "PATCH"], method) && !can(regex("(/restore|/start|/cancel|/undo|/imports)$", path))
      }
    }
  ]...)
}

resource "aws_api_gateway_request_validator" "all" {
  name                        = "body-and-parameters"
  rest_api_id                 = aws_api_gateway_rest_api.this.id
  validate_request_body       = true
  validate_request_parameters = true
}

# API Gateway only checks that the body is an object. The rules for products are in the application,
# which reports all errors by field.
resource "aws_api_gateway_model" "object" {
  name         = "Object"
  rest_api_id  = aws_api_gateway_rest_api.this.id
  content_type = "application/json"
  schema = jsonencode({
    "$schema" = "http://json-schema.org/draft-04/schema#"
    title     = "Object"
    type      = "object"
  })
}

resource "aws_api_gateway_method" "this" {
  for_each = local.methods

  rest_api_id          = aws_api_gateway_rest_api.this.id
  resource_id          = local.resource_ids[each.value.path]
  http_method          = each.value.method
  authorization        = "NONE" # the application checks tokens and permissions
  api_key_required     = true   # CloudFront's key, so that clients can't bypass it
  request_validator_id = aws_api_gateway_request_validator.all.id
  request_models       = each.value.has_body ? { "application/json" = aws_api_gateway_model.object.name } : {}
  request_parameters = {
    for name in flatten(regexall("{(\\w+)}", each.value.path)) : "method.request.path.${name}" => true
  }
}

resource "aws_api_gateway_integration" "this" {
  for_each = local.methods

  rest_api_id             = aws_api_gateway_rest_api.this.id
  resource_id             = local.resource_ids[each.value.path]
  http_method             = aws_api_gateway_method.this[each.key].http_method
  type                    = "AWS_PROXY"
  integration_http_method = "POST"
  uri                     = var.functions[each.value.function].invoke_arn
}

resource "aws_lambda_permission" "this" {
  for_each = toset(flatten([for methods in values(var.routes) : values(methods)]))

  statement_id  = "api-gateway"
  action        = "lambda:InvokeFunction"
  function_name = var.functions[each.value].name
  qualifier     = var.functions[each.value].alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${var.stage}/*"
}
