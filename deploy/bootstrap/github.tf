# GitHub Actions without stored keys: GitHub's OIDC token proves the repository and the environment.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.first_in_account ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  provider_arn = "arn:aws:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com"

  # Any run in the GitHub environment "<env>-plan" may plan; it needs no approval. Only runs in the
  # environment "<env>", which requires an approval, may apply.
  roles = {
    plan  = { github_environment = "${var.environment}-plan" }
    apply = { github_environment = var.environment }
  }
}

resource "aws_iam_role" "github" {
  for_each = local.roles

  name                 = "bbws-products-${each.key}-${var.environment}"
  description          = "GitHub Actions: ${each.key}"
  max_session_duration = 3600
  assume_role_policy = templatefile("${path.module}/policies/trust-github.json.tftpl", {
    provider_arn       = local.provider_arn
    repository_id      = var.github_repository_id
    github_environment = each.value.github_environment
  })
}

# Planning reads existing resources and the state.
resource "aws_iam_role_policy_attachment" "plan_reads" {
  role       = aws_iam_role.github["plan"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

resource "aws_iam_role_policy" "plan" {
  name   = "what-a-plan-must-not-read"
  role   = aws_iam_role.github["plan"].id
  policy = templatefile("${path.module}/policies/plan.json.tftpl", local.names)
}

# Applying may change everything with our name prefix, except this role and the planning role.
resource "aws_iam_role_policy" "apply" {
  for_each = toset(["apply-application", "apply-containers", "apply-roles"])

  name   = each.key
  role   = aws_iam_role.github["apply"].id
  policy = templatefile("${path.module}/policies/${each.key}.json.tftpl", local.names)
}

resource "aws_iam_role_policy_attachment" "apply_reads" {
  role       = aws_iam_role.github["apply"].name
  policy_arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
}

locals {
  names = {
    account_id  = var.account_id
    region      = var.region
    environment = var.environment
    state_arn   = module.bucket["state"].arn
    zips_arn    = module.bucket["artefacts"].arn
    images_arn  = aws_ecr_repository.products.arn
  }
}
