#!/usr/bin/env bash
# Put what was built where AWS fetches it from, each under its own digest: the zip in the bucket of artefacts, the image -
# where there are containers - in the registry. The same digest is the same thing, so what is there already stays.
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
