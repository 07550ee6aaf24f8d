#!/usr/bin/env bash
# Run a command of the image as a task in the ECS cluster, wait for it, and fail if it fails.
#   deploy/run_task.sh TERRAFORM_FOLDER migrate
#   deploy/run_task.sh TERRAFORM_FOLDER manage COMMAND ARGUMENT…
# IMAGE=… runs another image than the deployed one, e.g. a new image's migrations before its code.
# Without containers there is nothing to run; then the exit status is 0 and a sentence says so.
set -euo pipefail

folder=$1 && shift
settings=$(terraform -chdir="$folder" output -json migrate 2>/dev/null || echo null)
if [[ -z $settings || $settings == null ]]; then
  echo "There are no containers in this environment yet, so there is nothing to run."
  exit 0
fi
cluster=$(jq -r .cluster <<<"$settings")
definition=$(jq -r .task_definition <<<"$settings")
if [[ ${IMAGE:-} ]]; then
  file=$(mktemp) && trap 'rm -f "$file"' EXIT # the command line reads it twice
  aws ecs describe-task-definition --task-definition "$definition" --output json |
    jq --arg image "$IMAGE" '.taskDefinition
      | .containerDefinitions[].image = $image
      | del(.taskDefinitionArn, .revision, .status, .requiresAttributes, .compatibilities, .registeredAt, .registeredBy)' >"$file"
  definition=$(aws ecs register-task-definition --cli-input-json "file://$file" --query taskDefinition.taskDefinitionArn --output text)
fi
overrides=$(jq -nc '{containerOverrides: [{name: "migrate", command: $ARGS.positional}]}' --args -- "$@")
started=$(aws ecs run-task --cluster "$cluster" --launch-type FARGATE --output json \
  --task-definition "$definition" --overrides "$overrides" \
  --network-configuration "$(jq -c .network_configuration <<<"$settings")")
# run-task succeeds even if ECS can't place the task; then its answer contains failures.
task=$(jq -r '.tasks[0].taskArn // empty' <<<"$started")
[[ $task ]] || { echo "::error::The task could not be started: $(jq -c .failures <<<"$started")" && exit 1; }
echo "Running $*: $task"
[[ -z ${GITHUB_OUTPUT:-} ]] || echo "ran=true" >>"$GITHUB_OUTPUT"
# `aws ecs wait tasks-stopped` gives up after ten minutes.
for attempt in 1 2 3; do
  aws ecs wait tasks-stopped --cluster "$cluster" --tasks "$task" && break
  ((attempt < 3)) || { echo "::error::The task still runs after half an hour: $task" && exit 1; }
done
ended=$(aws ecs describe-tasks --cluster "$cluster" --tasks "$task" --output json)
code=$(jq -r '.tasks[0].containers[0].exitCode // "nothing"' <<<"$ended")
why=$(jq -r '.tasks[0].stoppedReason // "no reason given"' <<<"$ended") # e.g. a missing image
[[ $code == 0 ]] || {
  echo "::error::The task ended with $code ($why); its log is in CloudWatch."
  exit 1
}
