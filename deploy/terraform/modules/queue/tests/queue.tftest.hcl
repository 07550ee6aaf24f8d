variables {
  name               = "bbws-product-change-dev"
  dlq_name           = "bbws-product-change-dlq-dev"
  visibility_seconds = 60
  consumer_timeout   = 10
}

run "a_consumer_that_takes_too_long" {
  command = plan

  variables {
    consumer_timeout = 11
  }

  expect_failures = [aws_sqs_queue.this]
}

run "a_dead_letter_that_dies_before_it_is_read" {
  command = plan

  variables {
    dlq_retention_days = 4
  }

  expect_failures = [var.dlq_retention_days]
}

run "as_designed" {
  command = plan

  assert {
    condition     = aws_sqs_queue.this.visibility_timeout_seconds == 60 && aws_sqs_queue.this.receive_wait_time_seconds == 20
    error_message = "The visibility timeout must be a minute, and polls must be long."
  }
}
