#!/usr/bin/env bash
# Find resources that were changed outside Terraform. Write the plan to FILE, and `found=true` or
# `found=false` to $GITHUB_OUTPUT.
#   deploy/drift.sh TERRAFORM_FOLDER ENVIRONMENT FILE
# A refresh-only plan compares existing resources, so the digest of the code does not matter. It
# changes nothing, so it takes no lock. -detailed-exitcode is not used: it returns 2 for a refreshed
# data source, too, with "No changes" in the output.
set -euo pipefail

file=$(realpath "$3") environment=$2 rules=$(dirname "$(realpath "$0")")/drift.jq
cd "$1"
plan=$(mktemp)
no_digest=$(printf '0%.0s' {1..64})
terraform plan -refresh-only -lock=false -input=false -no-color -out="$plan" -var-file="environments/$environment.tfvars" \
  -var "package_key=products-lambda/$no_digest.zip" -var "package_hash=$(printf 'A%.0s' {1..43})=" | tee "$file"
drifted=$(terraform show -json "$plan" | jq -r -f "$rules")
echo "found=$([[ -n $drifted ]] && echo true || echo false)" >>"$GITHUB_OUTPUT"
echo "${drifted:-Nothing has drifted.}"
