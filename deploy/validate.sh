#!/usr/bin/env bash
# `manage.py validate_deployment` for what Terraform has made, from outside, told where things are as the application is.
#   deploy/validate.sh TERRAFORM_FOLDER
# It runs in .venv, which is made if need be, or in the virtual environment that VENV names. The SQL database is out of reach from here; that it is up to date is what deploy/migrate.sh and /readyz say.
set -euo pipefail

url=$(terraform -chdir="$1" output -raw api_url)
while IFS='=' read -r name value; do
  export "$name=$value"
done < <(terraform -chdir="$1" output -json settings | jq -r 'to_entries[] | "\(.key)=\(.value)"')

venv=${VENV:-.venv}
[[ $venv != .venv ]] || make .venv/ready
beside=$(mktemp -d)
export DATABASE_URL=sqlite:///$beside/none.sqlite3 HEARTBEAT_DIR=$beside DJANGO_SETTINGS_MODULE=bbws_products.settings.full
"$venv/bin/python" manage.py migrate --verbosity 0
"$venv/bin/python" manage.py validate_deployment --lambda --url "${url%/v1.0}"
