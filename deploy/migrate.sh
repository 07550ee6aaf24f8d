#!/usr/bin/env bash
# Run the image's role `migrate` as a task in the ECS cluster; fail if the task fails. Without
# containers there is no SQL database, and nothing to do.
#   deploy/migrate.sh TERRAFORM_FOLDER
set -euo pipefail

settings=$(terraform -chdir="$1" output -json migrate)
if [[ $settings == null ]]; then
  echo "There are no containers in this environment, so there is no database to migrate."
  exit 0
fi
cluster=$(jq -r .cluster <<<"$settings")
started=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --output json \
  --task-definition "$(jq -r .task_definition <<<"$settings")" \
  --network-configuration "$(jq -c .network_configuration <<<"$settings")")
# run-task succeeds even if ECS can't place the task; then its answer contains failures.
task=$(jq -r '.tasks[0].taskArn // empty' <<<"$started")
[[ $task ]] || { echo "::error::The migration could not be started: $(jq -c .failures <<<"$started")" && exit 1; }
echo "Migrating: $task"
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
ended=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output json)
code=$(jq -r '.tasks[0].containers[0].exitCode // "nothing"' <<<"$ended")
why=$(jq -r '.tasks[0].stoppedReason // "no reason given"' <<<"$ended") # e.g. a missing image
[[ $code == 0 ]] || {
  echo "::error::The migration ended with $code ($why); its log is in CloudWatch."
  exit 1
}
