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

store() { # name, options of put-parameter…; the value is the input
  python3 -c 'import json, sys; print(json.dumps({"Name": sys.argv[1], "Type": "SecureString",
    "KeyId": sys.argv[2], "Value": sys.stdin.read().strip()}))' \
    "$1" "alias/bbws-products-secrets-$environment" >"$file"
  aws ssm put-parameter --cli-input-json "file://$file" "${@:2}" >/dev/null
}

case "${2:-}" in
'') ;;
OIDC_CLIENT_SECRET | EMAIL_HOST_PASSWORD | SECRET_KEY_FALLBACKS)
  if [[ -t 0 ]]; then
    echo "Enter the value, then Enter and Ctrl-D. It is not shown." >&2
    stty -echo && trap 'stty echo; rm -f "$file"' EXIT
  fi
  store "/bbws-products-people/$environment/$2" --overwrite
  echo "/bbws-products-people/$environment/$2 was stored."
  exit
  ;;
*)
  echo "$2 is not one of the secrets that this script stores by name." >&2
  exit 64
  ;;
esac

create_parameter() { # name
  if aws ssm get-parameter --name "$1" --query Parameter.Name --output text >/dev/null 2>&1; then
    echo "$1 exists and was kept."
    return
  fi
  # AWS refuses it if the parameter exists, but could not be read.
  python3 -c 'import secrets; print(secrets.token_hex(32))' | store "$1"
  echo "$1 was created."
}

create_parameter "/bbws-products/$environment/SECRET_KEY"
create_parameter "/bbws-products/$environment/TOKEN_KEYS"
create_parameter "/bbws-products-database/$environment/PASSWORD"
