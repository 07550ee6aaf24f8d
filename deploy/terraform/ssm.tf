# The application's keys. Terraform makes the parameters and never knows their values: what stands there at first is
# refused by the application in sit and prod, and the README says how to set them.
resource "aws_ssm_parameter" "secret" {
  for_each = {
    SECRET_KEY = "Django's key"
    TOKEN_KEYS = "Keys of API tokens, comma-separated: the first signs, all verify"
  }

  name             = "${local.secrets_prefix}${each.key}"
  description      = each.value
  type             = "SecureString"
  key_id           = aws_kms_key.secrets.arn
  value_wo         = "insecure-until-somebody-sets-it"
  value_wo_version = 1
}
