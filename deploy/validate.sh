#!/usr/bin/env bash
# Run `manage.py validate_deployment` from outside, with the application's settings from Terraform.
#   deploy/validate.sh TERRAFORM_FOLDER
# The SQL database can't be reached from here; deploy/run_task.sh and /readyz check it.
set -euo pipefail

url=$(terraform -chdir="$1" output -raw api_url)
# shellcheck source=deploy/settings.sh
source deploy/settings.sh "$1"
"$PYTHON" manage.py validate_deployment --url "${url%/v1.0}"
