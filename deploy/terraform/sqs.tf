# Four queues, each with a dead-letter queue. SQS delivers a message to one consumer, so each effect
# has its own queue.
module "queue" {
  source   = "./modules/queue"
  for_each = local.queues

  name               = "bbws-product-${each.key}-${local.env}"
  dlq_name           = "bbws-product-${each.key}-dlq-${local.env}"
  visibility_seconds = local.visibility_seconds
  consumer_timeout   = local.functions[each.value.consumer].timeout
}
