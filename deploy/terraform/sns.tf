# The topics that alarms notify. CloudFront's alarm is in us-east-1 and needs a topic there.
resource "aws_sns_topic" "alerts" {
  name              = "bbws-product-alerts-${local.env}"
  kms_master_key_id = data.aws_kms_alias.alerts.name
}

resource "aws_sns_topic_policy" "alerts" {
  arn    = aws_sns_topic.alerts.arn
  policy = templatefile("${path.module}/policies/topic-alerts.json.tftpl", { topic_arn = aws_sns_topic.alerts.arn, account_id = var.account_id })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = toset(var.alert_emails)

  topic_arn = aws_sns_topic.alerts.arn
  protocol  = "email"
  endpoint  = each.value
}

# The topic of the alarm that wakes somebody.
resource "aws_sns_topic" "page" {
  name              = "bbws-product-page-${local.env}"
  kms_master_key_id = data.aws_kms_alias.alerts.name
}

resource "aws_sns_topic_policy" "page" {
  arn    = aws_sns_topic.page.arn
  policy = templatefile("${path.module}/policies/topic-alerts.json.tftpl", { topic_arn = aws_sns_topic.page.arn, account_id = var.account_id })
}

resource "aws_sns_topic_subscription" "page_email" {
  for_each = toset(coalesce(var.page_emails, var.alert_emails))

  topic_arn = aws_sns_topic.page.arn
  protocol  = "email"
  endpoint  = each.value
}

resource "aws_sns_topic" "edge_alerts" {
  provider = aws.us_east_1

  name              = "bbws-product-edge-alerts-${local.env}"
  kms_master_key_id = data.aws_kms_alias.edge_alerts.name
}

resource "aws_sns_topic_policy" "edge_alerts" {
  provider = aws.us_east_1

  arn    = aws_sns_topic.edge_alerts.arn
  policy = templatefile("${path.module}/policies/topic-alerts.json.tftpl", { topic_arn = aws_sns_topic.edge_alerts.arn, account_id = var.account_id })
}

resource "aws_sns_topic_subscription" "edge_email" {
  provider = aws.us_east_1
  for_each = toset(var.alert_emails)

  topic_arn = aws_sns_topic.edge_alerts.arn
  protocol  = "email"
  endpoint  = each.value
}
