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
task=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --query 'tasks[0].taskArn' --output text \
  --task-definition "$(jq -r .task_definition <<<"$what")" \
  --network-configuration "$(jq -c .network_configuration <<<"$what")")
echo "Migrating: $task"
aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task"
code=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --query 'tasks[0].containers[0].exitCode' --output text)
[[ $code == 0 ]] || { echo "::error::The migration ended with $code; its log is in CloudWatch." && exit 1; }
