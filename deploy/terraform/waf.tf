# A client that sends random query strings is never cached, and would use up the API's rate for all.
# So WAF limits each address. The web ACL of a distribution is in us-east-1.
resource "aws_wafv2_web_acl" "clients" {
  provider = aws.us_east_1
  count    = var.web_acl_arn == null ? 1 : 0

  name        = "bbws-products-${local.env}"
  description = "Limits the requests of one client"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  # In JSON, because the offline provider can't describe nested statements.
  rule_json = jsonencode([{
    Name     = "rate-of-one-address"
    Priority = 1
    Action = { Block = { CustomResponse = {
      ResponseCode    = 429
      ResponseHeaders = [{ Name = "Retry-After", Value = "300" }]
    } } }
    Statement = { RateBasedStatement = {
      Limit               = var.client_rate_limit
      EvaluationWindowSec = 300
      AggregateKeyType    = "IP"
    } }
    VisibilityConfig = {
      CloudWatchMetricsEnabled = true
      MetricName               = "rate-of-one-address"
      SampledRequestsEnabled   = true
    }
  }])

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "bbws-products-${local.env}"
    sampled_requests_enabled   = true
  }
}
