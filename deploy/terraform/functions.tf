# The functions. This file and variables.tf refer to nothing else, because the preflight evaluates
# only these two.
locals {
  consumer_timeout = 10 # seconds; a sixth of the visibility timeout
  api_timeout      = 15 # seconds; Prefer: wait takes up to 10, API Gateway's timeout is 29

  # The functions by short name. Other systems refer to the full names, which are those of the
  # original plan.
  functions = merge(
    {
      for name, what in {
        list   = { name = "bbws-list-products", description = "Lists and searches products; reports readiness" }
        get    = { name = "bbws-get-product", description = "Reads a product, its history and its receipts" }
        create = { name = "bbws-create-product", description = "Accepts new products" }
        update = { name = "bbws-update-product", description = "Accepts edits, batches and restorations" }
        delete = { name = "bbws-delete-product", description = "Accepts deactivations of products" }
        } : name => merge(what, {
          side    = "api"
          handler = "bbws_products.aws_lambda.handler"
          timeout = local.api_timeout
      })
    },
    {
      for name, what in {
        creator = {
          name        = "bbws-product-creator"
          description = "Stores records and sends the messages for other effects; runs the relay and the drift scan"
        }
        cache-invalidator = { name = "bbws-cache-invalidator", description = "Purges the cache" }
        search-indexer    = { name = "bbws-search-indexer", description = "Indexes products for search" }
        audit-logger      = { name = "bbws-audit-logger", description = "Writes audit records" }
        } : name => merge(what, {
          side    = "consumer"
          handler = "tasks.aws_lambda.handler"
          timeout = local.consumer_timeout
      })
    },
  )
  function_names = { for name, function in local.functions : name => "${function.name}-${var.environment}" }
}
