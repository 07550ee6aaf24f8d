# GitHub Actions without stored keys: GitHub's OIDC token proves the repository and the environment.
resource "aws_iam_openid_connect_provider" "github" {
  count = var.first_in_account ? 1 : 0

  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  provider_arn = "arn:aws:iam::${var.account_id}:oidc-provider/token.actions.githubusercontent.com"

  # Any run in the GitHub environment "<env>-plan" may plan; it needs no approval. Only runs in the
  # environment that requires an approval may apply.
  roles = {
    plan  = { github_environment = "${var.environment}-plan" }
    apply = { github_environment = var.environment == "prod" ? "prod-approval" : var.environment }
  }

  # GitHub's subject names the repository. Repositories made after 15 July 2026 have the ids in it,
  # and older ones may opt in. IAM demands a condition on the subject.
  owner = split("/", var.github_repository)[0]
  name  = split("/", var.github_repository)[1]
  subjects = [
    "repo:${local.owner}/${local.name}",
    "repo:${local.owner}@${var.github_owner_id}/${local.name}@${var.github_repository_id}",
  ]

  # Branches and tags whose runs may deploy. GitHub's environments have the same rule
  # (deploy/github_environments.sh).
  refs = {
    dev  = ["refs/heads/main"]
    sit  = ["refs/heads/main", "refs/heads/release/*", "refs/tags/*"]
    prod = ["refs/heads/main", "refs/tags/*"]
  }[var.environment]
}

resource "aws_iam_role" "github" {
  for_each = local.roles

  name                 = "bbws-products-${each.key}-${var.environment}"
  description          = "GitHub Actions: ${each.key}"
  max_session_duration = 7200
  assume_role_policy = templatefile("${path.module}/policies/trust-github.json.tftpl", {
    provider_arn       = local.provider_arn
    repository_id      = var.github_repository_id
    github_environment = each.value.github_environment
    subjects           = jsonencode([for subject in local.subjects : "${subject}:environment:${each.value.github_environment}"])
    refs               = jsonencode(local.refs)
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

# What the roles that CI creates may do at most. CI can create no role without it, and can't change it.
locals {
  boundary = "arn:aws:iam::${var.account_id}:policy/bbws-products-boundary-${var.environment}"
}

resource "aws_iam_policy" "boundary" {
  name        = "bbws-products-boundary-${var.environment}"
  description = "The most that a role of the product catalogue may do"
  policy      = templatefile("${path.module}/policies/boundary.json.tftpl", local.names)
}

# Applying may change everything with our name prefix, except this role and the planning role.
# Managed policies, since inline ones may have 10,240 characters in total.
resource "aws_iam_policy" "apply" {
  for_each = toset(["apply-application", "apply-delivery", "apply-containers", "apply-roles"])

  name   = "bbws-products-${each.key}-${var.environment}"
  policy = templatefile("${path.module}/policies/${each.key}.json.tftpl", local.names)
}

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = aws_iam_policy.apply

  role       = aws_iam_role.github["apply"].name
  policy_arn = each.value.arn
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
    boundary    = local.boundary

    secrets_key_arn = aws_kms_key.secrets.arn
    backups_key_arn = aws_kms_key.backups.arn
  }
}
