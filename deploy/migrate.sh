#!/usr/bin/env bash
# Run the image's `migrate` as a task of the cluster that Terraform has made, and end as it ends. Without containers there
# is no SQL database, and nothing to do.
#   deploy/migrate.sh TERRAFORM_FOLDER
set -euo pipefail

what=$(terraform -chdir="$1" output -json migrate)
if [[ $what == null ]]; then
  echo "There are no containers in this environment, so there is no database to migrate."
  exit 0
fi
cluster=$(jq -r .cluster <<<"$what")
started=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --output json \
  --task-definition "$(jq -r .task_definition <<<"$what")" \
  --network-configuration "$(jq -c .network_configuration <<<"$what")")
task=$(jq -r '.tasks[0].taskArn // empty' <<<"$started") # a refusal to place it is no error to the command line
[[ $task ]] || { echo "::error::The migration could not be started: $(jq -c .failures <<<"$started")" && exit 1; }
echo "Migrating: $task"
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
ended=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output json)
code=$(jq -r '.tasks[0].containers[0].exitCode // "nothing"' <<<"$ended")
why=$(jq -r '.tasks[0].stoppedReason // "no reason given"' <<<"$ended") # e.g. that there is no such image
[[ $code == 0 ]] || { echo "::error::The migration ended with $code ($why); its log is in CloudWatch." && exit 1; }
