#!/usr/bin/env bash
# Create the first superuser, and a user with a token for the smoke test. Both secrets go into
# encrypted SSM parameters, never into a log; the last lines say how to fetch them.
#   deploy/first_access.sh TERRAFORM_FOLDER ENVIRONMENT USER MAIL_ADDRESS
# With containers, tasks in the cluster do it. Without, there is no user database and no admin; then
# this machine signs only the token, with the environment's key.
set -euo pipefail

folder=$1 environment=$2 user=$3 mail=$4
place=/bbws-products-access/$environment
smoke=("create_user" "smoke" "--group" "Product admins")
token=("issue_token" "smoke" "--days" "366" "--label" "smoke test" "--to-parameter" "$place/smoke-token")
fetch="aws ssm get-parameter --with-decryption --query Parameter.Value --output text --name"

if [[ $(terraform -chdir="$folder" output -json migrate) != null ]]; then
  manage() { deploy/run_task.sh "$folder" manage "$@"; }
  manage create_user "$user" --email "$mail" --superuser --to-parameter "$place/password-of-$user"
  echo "The password: $fetch $place/password-of-$user"
else
  # shellcheck source=deploy/settings.sh
  source deploy/settings.sh "$folder"
  manage() { "$PYTHON" manage.py "$@"; }
fi
manage "${smoke[@]}"
manage "${token[@]}"
echo "The token: $fetch $place/smoke-token | gh secret set SMOKE_TOKEN --env GITHUB_ENVIRONMENT"
echo "Then delete each parameter: aws ssm delete-parameter --name NAME"
