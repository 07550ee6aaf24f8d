#!/usr/bin/env bash
# Wait until the ECS services run what was deployed; fail if they do not within 20 minutes.
#   deploy/wait_for_services.sh TERRAFORM_FOLDER
set -euo pipefail

settings=$(terraform -chdir="$1" output -json services)
if [[ $settings == null ]]; then
  echo "There are no containers in this environment."
  exit 0
fi
cluster=$(jq -r .cluster <<<"$settings")
mapfile -t services < <(jq -r '.services[]' <<<"$settings")
# Services whose first tasks failed, e.g. for a missing key, start no more. A new deployment does.
for service in "${services[@]}"; do
  running=$(aws ecs describe-services --cluster "$cluster" --services "$service" --query 'services[0].runningCount' --output text)
  [[ $running != 0 ]] || aws ecs update-service --cluster "$cluster" --service "$service" --force-new-deployment >/dev/null
done
for _ in 1 2; do # each waits for ten minutes
  aws ecs wait services-stable --cluster "$cluster" --services "${services[@]}" && exit 0
done
echo "::error::These services of $cluster are not stable: ${services[*]}"
exit 1
