resource "aws_api_gateway_rest_api" "this" {
  name           = var.name
  description    = "The product catalogue; every request must carry CloudFront's key"
  api_key_source = "HEADER"

  endpoint_configuration {
    types = ["REGIONAL"]
  }

  lifecycle {
    create_before_destroy = true
  }
}

# A resource can't refer to itself, so each level of the path tree needs its own resource block.

resource "aws_api_gateway_resource" "top" {
  for_each = toset(["v1.0", "healthz", "readyz"])

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_rest_api.this.root_resource_id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "v1" {
  for_each = toset(["products", "products.csv", "products:batch", "imports", "jobs", "plans", "schema", "docs"])

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.top["v1.0"].id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "product" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.v1["products"].id
  path_part   = "{productId}"
}

resource "aws_api_gateway_resource" "product_plans" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.product.id
  path_part   = "plans"
}

resource "aws_api_gateway_resource" "plan" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.v1["plans"].id
  path_part   = "{plan_id}"
}

resource "aws_api_gateway_resource" "of_plan" {
  for_each = toset(["rows", "history", "end", "undo"])

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.plan.id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "changes" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.product.id
  path_part   = "changes"
}

resource "aws_api_gateway_resource" "change" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.changes.id
  path_part   = "{version}"
}

resource "aws_api_gateway_resource" "restore" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.change.id
  path_part   = "restore"
}

resource "aws_api_gateway_resource" "job" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.v1["jobs"].id
  path_part   = "{job_id}"
}

resource "aws_api_gateway_resource" "of_job" {
  for_each = toset(["rows", "start", "cancel", "undo", "decisions"])

  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.job.id
  path_part   = each.value
}

resource "aws_api_gateway_resource" "row" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.of_job["rows"].id
  path_part   = "{number}"
}

resource "aws_api_gateway_resource" "row_decisions" {
  rest_api_id = aws_api_gateway_rest_api.this.id
  parent_id   = aws_api_gateway_resource.row.id
  path_part   = "decisions"
}

locals {
  job     = "/v1.0/jobs/{job_id}"
  plan    = "/v1.0/plans/{plan_id}"
  product = "/v1.0/products/{productId}"
  resource_ids = {
    "/healthz"                                   = aws_api_gateway_resource.top["healthz"].id
    "/readyz"                                    = aws_api_gateway_resource.top["readyz"].id
    "/v1.0/schema"                               = aws_api_gateway_resource.v1["schema"].id
    "/v1.0/docs"                                 = aws_api_gateway_resource.v1["docs"].id
    "/v1.0/products"                             = aws_api_gateway_resource.v1["products"].id
    "/v1.0/products.csv"                         = aws_api_gateway_resource.v1["products.csv"].id
    "/v1.0/imports"                              = aws_api_gateway_resource.v1["imports"].id
    "/v1.0/jobs"                                 = aws_api_gateway_resource.v1["jobs"].id
    (local.job)                                  = aws_api_gateway_resource.job.id
    "${local.job}/rows"                          = aws_api_gateway_resource.of_job["rows"].id
    "${local.job}/start"                         = aws_api_gateway_resource.of_job["start"].id
    "${local.job}/cancel"                        = aws_api_gateway_resource.of_job["cancel"].id
    "${local.job}/undo"                          = aws_api_gateway_resource.of_job["undo"].id
    "${local.job}/decisions"                     = aws_api_gateway_resource.of_job["decisions"].id
    "${local.job}/rows/{number}/decisions"       = aws_api_gateway_resource.row_decisions.id
    "/v1.0/plans"                                = aws_api_gateway_resource.v1["plans"].id
    (local.plan)                                 = aws_api_gateway_resource.plan.id
    "${local.plan}/rows"                         = aws_api_gateway_resource.of_plan["rows"].id
    "${local.plan}/history"                      = aws_api_gateway_resource.of_plan["history"].id
    "${local.plan}/end"                          = aws_api_gateway_resource.of_plan["end"].id
    "${local.plan}/undo"                         = aws_api_gateway_resource.of_plan["undo"].id
    "${local.product}/plans"                     = aws_api_gateway_resource.product_plans.id
    "/v1.0/products:batch"                       = aws_api_gateway_resource.v1["products:batch"].id
    (local.product)                              = aws_api_gateway_resource.product.id
    "${local.product}/changes"                   = aws_api_gateway_resource.changes.id
    "${local.product}/changes/{version}"         = aws_api_gateway_resource.change.id
    "${local.product}/changes/{version}/restore" = aws_api_gateway_resource.restore.id
  }
}
