#!/usr/bin/env bash
# Upload a build under its digests: the zip to the S3 bucket for artefacts and, for an environment
# with containers, the image to ECR. A digest that is already there is not uploaded again.
#   ACCOUNT=… REGION=… deploy/publish.sh FOLDER ZIP_SHA256 IMAGE_DIGEST
set -euo pipefail

folder=$1 package=$2 image=$3
echo "$package  $folder/package.zip" | sha256sum --check --quiet

bucket=bbws-products-artefacts-$ACCOUNT-$REGION key=products-lambda/$package.zip
if ! aws s3api head-object --bucket "$bucket" --key "$key" >/dev/null 2>&1; then
  aws s3api put-object --bucket "$bucket" --key "$key" --body "$folder/package.zip" >/dev/null
  echo "s3://$bucket/$key"
fi

if grep -qE '^enable_containers *= *true' "deploy/terraform/environments/$ENVIRONMENT.tfvars"; then
  registry=$ACCOUNT.dkr.ecr.$REGION.amazonaws.com
  aws ecr get-login-password | skopeo login --username AWS --password-stdin "$registry"
  if ! skopeo inspect --raw "docker://$registry/bbws-products@$image" >/dev/null 2>&1; then
    skopeo copy --preserve-digests "oci-archive:$folder/image.tar" "docker://$registry/bbws-products:${image#sha256:}"
  fi
  echo "$registry/bbws-products@$image"
fi
