# How staff log in besides passwords, and who sends their e-mails. The secrets are SecureStrings
# below people_secrets_arn, which a person sets before the first apply; docs/operations.md has how.
locals {
  oidc  = var.people.oidc
  email = var.people.email

  for_sign_on = local.oidc == null ? {} : {
    OIDC_ISSUER       = local.oidc.issuer
    OIDC_CLIENT_ID    = local.oidc.client_id
    OIDC_NAME         = local.oidc.name
    OIDC_GROUPS_CLAIM = local.oidc.groups_claim
    OIDC_GROUPS       = join(",", [for theirs, ours in local.oidc.groups : "${theirs}=${ours}"])
  }
  for_email = local.email == null ? {} : {
    EMAIL_HOST      = local.email.host
    EMAIL_PORT      = tostring(local.email.port)
    EMAIL_FROM      = local.email.from
    EMAIL_HOST_USER = local.email.user
  }
  for_people = merge(
    { SECOND_FACTOR_FOR = join(",", var.people.second_factor_for) },
    local.for_sign_on,
    local.for_email,
  )

  people_secrets = concat(
    local.oidc == null ? [] : ["OIDC_CLIENT_SECRET"],
    try(local.email.user, "") == "" ? [] : ["EMAIL_HOST_PASSWORD"],
    var.people.former_secret_keys ? ["SECRET_KEY_FALLBACKS"] : [],
  )
  people_secret_arns = { for name in local.people_secrets : name => "${local.people_secrets_arn}/${name}" }
}
