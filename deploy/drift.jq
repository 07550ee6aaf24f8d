# The addresses of resources that were changed outside Terraform. AWS itself changes some attributes,
# and deployments move aliases; those are no drift.
def changed_by_aws: {
  aws_appautoscaling_target: ["arn"],
  aws_cloudfront_distribution: ["etag", "in_progress_validation_batches", "last_modified_time", "status"],
  aws_db_instance: ["latest_restorable_time", "engine_version_actual", "ca_cert_identifier"],
  aws_ecs_service: ["desired_count"],
  aws_lambda_alias: ["function_version", "routing_config"],
  aws_lambda_event_source_mapping: ["last_modified", "last_processing_result", "state", "state_transition_reason"],
  aws_lambda_function: ["last_modified"],
  aws_opensearch_domain: ["software_update_options"],
  aws_secretsmanager_secret_rotation: ["rotation_enabled"]
};

.resource_drift // []
| .[]
| .type as $type
| (.change.before // {}) as $before
| (.change.after // {}) as $after
| [($before + $after) | keys[] | select($before[.] != $after[.])] as $changed
| select(($changed - (changed_by_aws[$type] // [])) != [] or $changed == [])
| .address
