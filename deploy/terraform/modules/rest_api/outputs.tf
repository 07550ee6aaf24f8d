output "id" {
  value = aws_api_gateway_rest_api.this.id
}

output "host" {
  value = "${aws_api_gateway_rest_api.this.id}.execute-api.${data.aws_region.this.region}.amazonaws.com"
}

output "stage" {
  value = var.stage # not the stage resource, which depends on the functions
}

output "edge_keys" {
  description = "The two keys that CloudFront may send as X-Api-Key."
  value       = { for name in ["a", "b"] : name => aws_api_gateway_api_key.this["edge-${name}"].value }
  sensitive   = true
}

output "access_log_group" {
  value = aws_cloudwatch_log_group.access.name
}

data "aws_region" "this" {}
