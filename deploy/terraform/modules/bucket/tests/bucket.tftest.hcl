variables {
  name = "bbws-product-audit-logs-dev"
}

run "unlocked_by_default" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_object_lock_configuration.this) == 0 && !aws_s3_bucket.this.object_lock_enabled
    error_message = "Only the audit bucket must be locked."
  }
}

run "locked" {
  command = plan

  variables {
    lock = { mode = "COMPLIANCE", days = 10 }
  }

  assert {
    condition     = aws_s3_bucket.this.object_lock_enabled && aws_s3_bucket_object_lock_configuration.this[0].rule[0].default_retention[0].days == 10
    error_message = "Each record must be locked as soon as it is written."
  }
}
