# Each path and method of bbws_products/urls_api.py, with the function that has only the permissions
# for it. OPTIONS also goes to Django, which knows the allowed origins.
locals {
  reads  = { for name in ["list", "get"] : name => { GET = name, HEAD = name, OPTIONS = name } }
  action = { POST = "update", OPTIONS = "update" }
  routes = {
    "/healthz"                                    = { GET = "list", HEAD = "list" }
    "/readyz"                                     = { GET = "list", HEAD = "list" }
    "/v1.0/schema"                                = { GET = "get", HEAD = "get" }
    "/v1.0/products"                              = merge(local.reads.list, { POST = "create" })
    "/v1.0/products.csv"                          = local.reads.list
    "/v1.0/imports"                               = local.action
    "/v1.0/jobs"                                  = local.reads.get
    "/v1.0/jobs/{job_id}"                         = local.reads.get
    "/v1.0/jobs/{job_id}/rows"                    = local.reads.get
    "/v1.0/jobs/{job_id}/start"                   = local.action
    "/v1.0/jobs/{job_id}/cancel"                  = local.action
    "/v1.0/jobs/{job_id}/undo"                    = local.action
    "/v1.0/jobs/{job_id}/decisions"               = local.action
    "/v1.0/jobs/{job_id}/rows/{number}/decisions" = local.action
    "/v1.0/plans"                                 = merge(local.reads.list, { POST = "update" })
    "/v1.0/plans/{plan_id}"                       = merge(local.reads.list, { PATCH = "update", DELETE = "update" })
    "/v1.0/plans/{plan_id}/rows"                  = local.reads.list
    "/v1.0/plans/{plan_id}/history"               = local.reads.list
    "/v1.0/plans/{plan_id}/end"                   = local.action
    "/v1.0/plans/{plan_id}/undo"                  = local.action
    "/v1.0/products/{productId}/plans"            = local.reads.list
    "/v1.0/products:batch"                        = { POST = "update", OPTIONS = "update" }
    "/v1.0/products/{productId}" = merge(local.reads.get, {
      PUT    = "update"
      PATCH  = "update"
      DELETE = "delete"
    })
    "/v1.0/products/{productId}/changes"                   = local.reads.get
    "/v1.0/products/{productId}/changes/{version}"         = local.reads.get
    "/v1.0/products/{productId}/changes/{version}/restore" = { POST = "update", OPTIONS = "update" }
  }
}

module "api" {
  source = "./modules/rest_api"

  name           = "bbws-product-api-${local.env}"
  routes         = local.routes
  functions      = { for name in ["list", "get", "create", "update", "delete"] : name => module.function[name] }
  rate_limit     = var.rate_limit
  retention_days = var.log_retention_days
}
