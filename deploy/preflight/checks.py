"""All checks, in the order in which a person would fix what they find."""

from collections.abc import Iterator

from botocore.exceptions import BotoCoreError, ClientError

from deploy.preflight import account, backups, people, resources
from deploy.preflight.environment import Environment
from deploy.preflight.results import Client, Result

CHECKS = (
    account.check_account,
    account.check_placeholders,
    account.check_region,
    account.check_concurrency,
    resources.check_bucket_names,
    resources.check_bootstrap,
    resources.check_keys,
    resources.check_table,
    resources.check_certificates,
    resources.check_offerings,
    account.check_quotas,
    backups.check_backups,
    people.check_logins,
    people.check_issuer,
    people.check_mail,
    resources.check_subscriptions,
)


def run_checks(environment: Environment, client: Client) -> Iterator[Result]:
    """Run all checks; a call that AWS refuses is a failure of its check."""
    for check in CHECKS:
        try:
            yield from check(environment, client)
        except (BotoCoreError, ClientError) as fault:
            name = check.__name__.removeprefix("check_").replace("_", " ")
            yield Result(
                name, f"AWS refuses: {fault}", "Check the credentials, the region, and bootstrap."
            )
