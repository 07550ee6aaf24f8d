"""Checks of the backups that are copied outside the account."""

from collections.abc import Iterator

from deploy.preflight.environment import Environment
from deploy.preflight.resources import check_aliases
from deploy.preflight.results import Client, Result

SETTINGS_COMMAND = (
    "aws backup update-region-settings --resource-type-opt-in-preference DynamoDB=true "
    "--resource-type-management-preference DynamoDB=true"
)


def check_backups(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that AWS Backup copies DynamoDB's backups, and that its key exists."""
    if not environment.variables["backup_vault_arn"]:
        advice = "Set backup_vault_arn (deploy/backups)." if environment.name == "prod" else ""
        yield Result("backups", "None leaves the account.", advice, is_warning=True)
        return
    settings = client("backup", environment.region).describe_region_settings()
    preferences = (
        settings["ResourceTypeOptInPreference"],
        settings["ResourceTypeManagementPreference"],
    )
    is_on = all(preference.get("DynamoDB") for preference in preferences)
    found = f"AWS Backup {'copies' if is_on else 'does not copy'} backups of DynamoDB."
    yield Result("backups", found, "" if is_on else f"Run `{SETTINGS_COMMAND}`.")
    advice = "Apply deploy/bootstrap with backup_account_id."
    yield from check_aliases(environment, client, ["bbws-products-backups"], advice)
