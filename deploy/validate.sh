#!/usr/bin/env bash
# Run `manage.py validate_deployment` from outside, with the application's settings from Terraform.
#   deploy/validate.sh TERRAFORM_FOLDER
# It runs in the virtual environment VENV, by default .venv, which is created if needed. The SQL
# database can't be reached from here; deploy/migrate.sh and /readyz check it.
set -euo pipefail

url=$(terraform -chdir="$1" output -raw api_url)
while IFS='=' read -r name value; do
  export "$name=$value"
done < <(terraform -chdir="$1" output -json settings | jq -r 'to_entries[] | "\(.key)=\(.value)"')

venv=${VENV:-.venv}
[[ $venv != .venv ]] || make .venv/ready
scratch=$(mktemp -d)
export DATABASE_URL=sqlite:///$scratch/none.sqlite3 HEARTBEAT_DIR=$scratch
export DJANGO_SETTINGS_MODULE=bbws_products.settings.full
"$venv/bin/python" manage.py migrate --verbosity 0
"$venv/bin/python" manage.py validate_deployment --url "${url%/v1.0}"
