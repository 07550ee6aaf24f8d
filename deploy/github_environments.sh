#!/usr/bin/env bash
# Create the six GitHub environments of this repository: who must approve, and which branches and
# tags may deploy. The AWS roles trust only runs in these environments, from the same branches.
#   deploy/github_environments.sh OWNER/NAME REVIEWER…
# REVIEWER is a GitHub user who approves deployments to sit and prod. Needs the GitHub command line.
set -euo pipefail

repository=$1 && shift
reviewers='[]'
for name in "$@"; do
  id=$(gh api "users/$name" --jq .id)
  reviewers=$(jq -c --argjson id "$id" '. + [{type: "User", id: $id}]' <<<"$reviewers")
done

create() { # environment, reviewers in JSON, allowed branches and tags…
  local environment=$1 approvers=$2
  shift 2
  jq -nc --argjson reviewers "$approvers" '{reviewers: $reviewers,
    deployment_branch_policy: {protected_branches: false, custom_branch_policies: true}}' |
    gh api --method PUT "repos/$repository/environments/$environment" --input - >/dev/null
  for pattern in "$@"; do
    kind=branch && [[ $pattern != tag:* ]] || kind=tag
    gh api --method POST "repos/$repository/environments/$environment/deployment-branch-policies" \
      -f "name=${pattern#tag:}" -f "type=$kind" >/dev/null
  done
  echo "$environment: $*"
}

create dev-plan '[]' main
create dev '[]' main
create sit-plan '[]' main 'release/*' 'tag:*'
create sit "$reviewers" main 'release/*' 'tag:*'
create prod-plan '[]' main 'tag:*'
create prod-approval "$reviewers" main 'tag:*'
