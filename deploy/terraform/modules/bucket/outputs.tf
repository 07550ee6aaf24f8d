output "name" {
  value = aws_s3_bucket.this.bucket
}

output "arn" {
  value = aws_s3_bucket.this.arn
}

output "domain" {
  value = aws_s3_bucket.this.bucket_regional_domain_name
}

output "log_target" {
  description = "The bucket's name, known once AWS may deliver logs to it."
  value       = aws_s3_bucket.this.bucket
  depends_on  = [aws_s3_bucket_policy.this]
}
