"""Who may reach what: clients, staff, roles, and the users of the database."""

import json
import re

import pytest

from tests.support.terraform import PlannedEnvironment

# The first of these tests to run plans all environments.
pytestmark = [pytest.mark.timeout(900), pytest.mark.needs("terraform", "terraform-offline")]


def test_each_client_has_a_rate_limit(infra: PlannedEnvironment) -> None:
    [acl] = infra.of_type("aws_wafv2_web_acl").values()
    [distribution] = infra.of_type("aws_cloudfront_distribution").values()
    assert distribution["web_acl_id"] == acl["arn"]
    [rule] = json.loads(acl["rule_json"])
    assert rule["Statement"]["RateBasedStatement"]["AggregateKeyType"] == "IP"
    assert rule["Action"]["Block"]["CustomResponse"]["ResponseCode"] == 429


def test_admins_load_balancer_serves_only_the_admin(infra: PlannedEnvironment) -> None:
    if infra.env == "dev":
        assert infra.of_type("aws_lb") == {}
        return
    [https] = [x for x in infra.of_type("aws_lb_listener").values() if x["port"] == 443]
    assert https["default_action"][0]["fixed_response"][0]["status_code"] == "404"
    [rule] = infra.of_type("aws_lb_listener_rule").values()
    paths = {
        path
        for condition in rule["condition"]
        for pattern in condition.get("path_pattern") or []
        for path in pattern["values"]
    }
    assert paths == {"/", "/admin", "/admin/*", "/static/*", "/healthz"}
    open_to = {
        entry["cidr_ipv4"]
        for entry in infra.of_type("aws_vpc_security_group_ingress_rule").values()
    }
    assert "0.0.0.0/0" not in open_to


def test_asynchronous_calls_are_not_retried(infra: PlannedEnvironment) -> None:
    configured = infra.of_type("aws_lambda_function_event_invoke_config").values()
    assert len(configured) == len(infra.functions)
    for config in configured:
        assert (config["qualifier"], config["maximum_retry_attempts"]) == ("live", 0)
        assert config["maximum_event_age_in_seconds"] == 60


def test_each_role_has_the_boundary(infra: PlannedEnvironment) -> None:
    account = infra.variable("account_id")
    boundary = f"arn:aws:iam::{account}:policy/bbws-products-boundary-{infra.env}"
    roles = infra.of_type("aws_iam_role").values()
    assert {role["permissions_boundary"] for role in roles} == {boundary}
    assert all(re.fullmatch(rf"bbws-.*-role-{infra.env}", role["name"]) for role in roles)


def test_only_migrations_use_the_databases_master_user(infra: PlannedEnvironment) -> None:
    for task in infra.of_type("aws_ecs_task_definition").values():
        [container] = json.loads(task["container_definitions"])
        plain = {pair["name"]: pair["value"] for pair in container["environment"]}
        secret = {pair["name"]: pair["valueFrom"] for pair in container["secrets"]}
        assert "sslmode=verify-full&sslrootcert=/app/deploy/rds-roots.pem" in plain["DATABASE_URL"]
        is_migration = task["family"].endswith("-migrate")
        user = "bbws" if is_migration else "bbws_app"
        assert plain["DATABASE_URL"].startswith(f"postgres://{user}@")
        assert ("bbws-products-database" in secret["PGPASSWORD"]) is not is_migration
        assert ("DATABASE_ROLE_PASSWORD" in secret) is is_migration
        assert {plain["AWS_REGION"], plain["AWS_DEFAULT_REGION"]} == {infra.variable("region")}
