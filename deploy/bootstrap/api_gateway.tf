# The role under which API Gateway writes logs; there is one per account and region.
resource "aws_api_gateway_account" "this" {
  count = var.first_in_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway[0].arn
}

resource "aws_iam_role" "api_gateway" {
  count = var.first_in_account ? 1 : 0

  name = "bbws-products-api-gateway-logs"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "apigateway.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy_attachment" "api_gateway" {
  count = var.first_in_account ? 1 : 0

  role       = aws_iam_role.api_gateway[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}
