#!/usr/bin/env bash
# Plan an environment with what was just built, into the file `tfplan` of the Terraform folder.
#   deploy/plan.sh TERRAFORM_FOLDER ENVIRONMENT ZIP_SHA256 IMAGE
# IMAGE is the image's full name with its digest; where the environment has containers, it takes the place of the one in
# its tfvars.
set -euo pipefail

cd "$1"
environment=$2 zip=$3 image=$4
given=(-var-file="environments/$environment.tfvars" -var "package_key=products-lambda/$zip.zip"
  -var "package_hash=$(xxd -revert -plain <<<"$zip" | base64)")
containers=$(terraform console "${given[@]}" \
  <<<"jsonencode(var.containers == null ? null : merge(var.containers, { image = \"$image\" }))" | jq -r fromjson)
terraform plan -input=false -lock-timeout=5m -out=tfplan "${given[@]}" -var "containers=$containers"
