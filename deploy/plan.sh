#!/usr/bin/env bash
# Plan the deployment of a build to an environment; write it to `tfplan` in the Terraform folder.
#   deploy/plan.sh TERRAFORM_FOLDER ENVIRONMENT ZIP_SHA256 IMAGE
# IMAGE is the image's full name with its digest. In an environment with containers it replaces the
# image in its tfvars.
set -euo pipefail

cd "$1"
environment=$2 zip=$3 image=$4
variables=(-var-file="environments/$environment.tfvars" -var "package_key=products-lambda/$zip.zip"
  -var "package_hash=$(xxd -revert -plain <<<"$zip" | base64)")
# A slow state lock adds lines of its own to the console's output.
containers=$(terraform console "${variables[@]}" \
  <<<"jsonencode(var.containers == null ? null : merge(var.containers, { image = \"$image\" }))" |
  grep '^"' | jq -r fromjson)
# Terraform also writes a plan that failed.
terraform plan -input=false -lock-timeout=5m -out=tfplan "${variables[@]}" \
  -var "containers=$containers" || { rm -f tfplan; exit 1; }
