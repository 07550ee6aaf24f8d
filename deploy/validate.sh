#!/usr/bin/env bash
# `manage.py validate_deployment` for what Terraform has made, from outside: with the settings that a function has.
#   deploy/validate.sh TERRAFORM_FOLDER
# The SQL database is out of reach from here; that it is up to date is what deploy/migrate.sh and /readyz say.
set -euo pipefail

function=$(terraform -chdir="$1" output -json functions | jq -r .update)
url=$(terraform -chdir="$1" output -raw api_url)
while IFS='=' read -r name value; do
  export "$name=$value"
done < <(aws lambda get-function-configuration --function-name "$function:live" --query Environment.Variables --output json |
  jq -r 'to_entries[] | "\(.key)=\(.value)"')

make .venv/ready
database=$(mktemp -d)/none.sqlite3
export DATABASE_URL=sqlite:///$database DJANGO_SETTINGS_MODULE=bbws_products.settings
.venv/bin/python manage.py migrate --verbosity 0
.venv/bin/python manage.py validate_deployment --lambda --url "${url%/v1.0}"
