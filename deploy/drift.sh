#!/usr/bin/env bash
# Has somebody changed what Terraform keeps? What is found is written to a file; `found=true` or `false` to $GITHUB_OUTPUT.
#   deploy/drift.sh TERRAFORM_FOLDER ENVIRONMENT FILE
# Only what is there is compared, nothing is planned, so any digest will do for the code. It takes no lock: it changes
# nothing. The exit code of -detailed-exitcode does not serve: it is 2 for a refreshed data source too, beside "No changes".
set -euo pipefail

file=$(realpath "$3") environment=$2
cd "$1"
plan=$(mktemp)
none=$(printf '0%.0s' {1..64})
terraform plan -refresh-only -lock=false -input=false -no-color -out="$plan" -var-file="environments/$environment.tfvars" \
  -var "package_key=products-lambda/$none.zip" -var "package_hash=$(printf 'A%.0s' {1..43})=" | tee "$file"
drifted=$(terraform show -json "$plan" | jq -r '.resource_drift // [] | .[].address')
echo "found=$([[ -n $drifted ]] && echo true || echo false)" >>"$GITHUB_OUTPUT"
echo "${drifted:-Nothing has drifted.}"
