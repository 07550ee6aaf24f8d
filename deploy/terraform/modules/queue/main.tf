resource "aws_sqs_queue" "this" {
  name                       = var.name
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.retention_days * 86400
  receive_wait_time_seconds  = var.wait_seconds
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead.arn
    maxReceiveCount     = var.max_receive_count
  })

  lifecycle {
    precondition {
      condition     = var.visibility_seconds >= 6 * var.consumer_timeout
      error_message = "The visibility timeout must be at least six times the consumer's timeout, or SQS delivers messages again that are still being processed."
    }
  }
}

resource "aws_sqs_queue" "dead" {
  name                      = var.dlq_name
  message_retention_seconds = var.dlq_retention_days * 86400
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url = aws_sqs_queue.dead.url
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this.arn]
  })
}

resource "aws_sqs_queue_policy" "tls" {
  for_each = { queue = aws_sqs_queue.this, dead = aws_sqs_queue.dead }

  queue_url = each.value.url
  policy    = templatefile("${path.module}/policy.json.tftpl", { queue_arn = each.value.arn })
}
