output "arn" {
  value = aws_sqs_queue.this.arn
}

output "name" {
  value = aws_sqs_queue.this.name
}

output "dlq_name" {
  value = aws_sqs_queue.dead.name
}

output "dlq_arn" {
  value = aws_sqs_queue.dead.arn
}
