#!/usr/bin/env bash
# Create the application's keys as encrypted SSM parameters, before the first deployment. Existing
# keys are kept. No value is printed, and none becomes an argument of a program.
#   deploy/keys.sh ENVIRONMENT
# The region and the credentials are those of the AWS command line.
set -euo pipefail

environment=${1:?dev, sit or prod}
umask 077
file=$(mktemp) && trap 'rm -f "$file"' EXIT

create_parameter() { # name
  if aws ssm get-parameter --name "$1" --query Parameter.Name --output text >/dev/null 2>&1; then
    echo "$1 exists and was kept."
    return
  fi
  python3 -c 'import json, secrets, sys; print(json.dumps({"Name": sys.argv[1], "Type": "SecureString",
    "KeyId": sys.argv[2], "Value": secrets.token_hex(32)}))' "$1" "alias/bbws-products-secrets-$environment" >"$file"
  aws ssm put-parameter --cli-input-json "file://$file" >/dev/null
  echo "$1 was created."
}

create_parameter "/bbws-products/$environment/SECRET_KEY"
create_parameter "/bbws-products/$environment/TOKEN_KEYS"
create_parameter "/bbws-products-database/$environment/PASSWORD"
