resource "aws_s3_bucket" "this" {
  bucket              = var.name
  object_lock_enabled = var.lock != null

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  count  = var.lock == null ? 0 : 1
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = var.lock.mode
      days = var.lock.days
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "unfinished-uploads"
    status = "Enabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }
  }

  dynamic "rule" {
    for_each = var.expire_days == null ? [] : [var.expire_days]

    content {
      id     = "expire"
      status = "Enabled"

      filter {
        prefix = var.expire_prefix
      }

      expiration {
        days = rule.value
      }
    }
  }
}

# AWS documents both keys for CloudWatch's deliveries. Its example for load balancers has none, so
# there they count only if they are sent.
locals {
  log_conditions = {
    "delivery.logs" = {
      StringEquals = { "aws:SourceAccount" = var.logs_of_account }
      ArnLike      = { "aws:SourceArn" = [for region in var.log_regions : "arn:aws:logs:${region}:${coalesce(var.logs_of_account, "none")}:*"] }
    }
    "logdelivery.elasticloadbalancing" = {
      StringEqualsIfExists = { "aws:SourceAccount" = var.logs_of_account }
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ],
      [
        for arn in var.cloudfront_distributions : {
          Sid       = "CloudFrontReads"
          Effect    = "Allow"
          Principal = { Service = "cloudfront.amazonaws.com" }
          Action    = "s3:GetObject"
          Resource  = "${aws_s3_bucket.this.arn}/*"
          Condition = { StringEquals = { "aws:SourceArn" = arn } }
        }
      ],
      [
        for service in var.logs_of_account == null ? [] : ["delivery.logs", "logdelivery.elasticloadbalancing"] : {
          Sid       = "LogsOf${replace(title(replace(service, ".", " ")), " ", "")}"
          Effect    = "Allow"
          Principal = { Service = "${service}.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "${aws_s3_bucket.this.arn}/AWSLogs/${var.logs_of_account}/*"
          # Another account's deliveries could otherwise name our path.
          Condition = local.log_conditions[service]
        }
      ],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
