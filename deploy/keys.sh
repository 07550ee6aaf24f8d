#!/usr/bin/env bash
# Create the application's keys as encrypted SSM parameters, before the first deployment. Existing
# keys are kept. No value is printed, and none becomes an argument of a program.
#   deploy/keys.sh ENVIRONMENT
# With a name, it stores the secret that it reads from its input, in place of an earlier one:
#   deploy/keys.sh ENVIRONMENT OIDC_CLIENT_SECRET|EMAIL_HOST_PASSWORD|SECRET_KEY_FALLBACKS
# The region and the credentials are those of the AWS command line.
set -euo pipefail

environment=${1:?dev, sit or prod}
umask 077
file=$(mktemp) && trap 'rm -f "$file"' EXIT

describe() { # name; the value is the input
  python3 -c 'import json, sys; print(json.dumps({"Name": sys.argv[1], "Type": "SecureString",
    "KeyId": sys.argv[2], "Value": sys.stdin.read().strip(), "Overwrite": True}))' \
    "$1" "alias/bbws-products-secrets-$environment"
}

case "${2:-}" in
'') ;;
OIDC_CLIENT_SECRET | EMAIL_HOST_PASSWORD | SECRET_KEY_FALLBACKS)
  [[ ! -t 0 ]] || echo "Enter the value, then Enter and Ctrl-D. It is not shown." >&2
  [[ ! -t 0 ]] || { stty -echo && trap 'stty echo; rm -f "$file"' EXIT; }
  describe "/bbws-products-people/$environment/$2" >"$file"
  aws ssm put-parameter --cli-input-json "file://$file" >/dev/null
  echo "/bbws-products-people/$environment/$2 was stored."
  exit
  ;;
*)
  echo "$2 is no secret of the sign-on or of e-mails." >&2
  exit 64
  ;;
esac

create_parameter() { # name
  if aws ssm get-parameter --name "$1" --query Parameter.Name --output text >/dev/null 2>&1; then
    echo "$1 exists and was kept."
    return
  fi
  python3 -c 'import secrets; print(secrets.token_hex(32))' | describe "$1" >"$file"
  aws ssm put-parameter --cli-input-json "file://$file" >/dev/null
  echo "$1 was created."
}

create_parameter "/bbws-products/$environment/SECRET_KEY"
create_parameter "/bbws-products/$environment/TOKEN_KEYS"
create_parameter "/bbws-products-database/$environment/PASSWORD"
