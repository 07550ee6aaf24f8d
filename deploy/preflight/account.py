"""Checks of the account itself: its id, region and limits. Each yields what was found."""

from collections.abc import Iterator

from deploy.preflight.environment import Environment
from deploy.preflight.results import Client, Result

PLACEHOLDERS = (
    "example.com",
    "111111111111",
    "222222222222",
    "333333333333",
    "444444444444",
    "the-user-of-smtp",
    "0" * 64,
)
CONCURRENCY_OF_THE_API = 20
"""Instances that the API's functions, the relay and the drift scan need besides the consumers."""
CODE_STORAGE_MARGIN = 0.8


def check_account(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that these are credentials of the right account."""
    account = client("sts", "us-east-1").get_caller_identity()["Account"]
    advice = (
        "" if account == environment.account else "Use credentials of the environment's account."
    )
    yield Result("account", f"It is {account}; the environment's is {environment.account}.", advice)


def check_placeholders(environment: Environment, _: Client) -> Iterator[Result]:
    """Check that no value of an example is left."""
    text = str(dict(environment.variables))
    left = [placeholder for placeholder in PLACEHOLDERS if placeholder in text]
    advice = f"Replace them in environments/{environment.name}.tfvars." if left else ""
    yield Result("values", f"Placeholders left: {', '.join(left) or 'none'}.", advice)


def check_region(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that the account may use the region; some must be enabled first."""
    answer = client("ec2", "us-east-1").describe_regions(AllRegions=True)
    states = {found["RegionName"]: found["OptInStatus"] for found in answer["Regions"]}
    state = states.get(environment.region, "unknown")
    is_enabled = state in ("opted-in", "opt-in-not-required")
    command = f"aws account enable-region --region-name {environment.region}"
    advice = "" if is_enabled else f"Run `{command}`; it may take hours."
    yield Result("region", f"{environment.region} is {state}.", advice)


def check_concurrency(environment: Environment, client: Client) -> Iterator[Result]:
    """Check Lambda's limits: a new account may have a concurrency of ten."""
    settings = client("lambda", environment.region).get_account_settings()
    limit = settings["AccountLimit"]["ConcurrentExecutions"]
    expected = environment.variables["account_concurrency"]
    advice = f"Set account_concurrency = {limit}, or request a higher quota (L-B99A9384)."
    yield Result("concurrency", f"The limit is {limit}.", "" if limit >= expected else advice)
    consumers = 4 * environment.variables["consumer_concurrency"]
    needed = consumers + CONCURRENCY_OF_THE_API
    yield Result(
        "concurrency of consumers",
        f"Consumers may use {consumers} of {limit}.",
        "" if limit >= needed else f"Lower consumer_concurrency (2 at least), or reach {needed}.",
        is_warning=environment.name == "dev" and consumers < limit,
    )
    used, most = (
        settings["AccountUsage"]["TotalCodeSize"],
        settings["AccountLimit"]["TotalCodeSize"],
    )
    advice = (
        "" if used < CODE_STORAGE_MARGIN * most else "Run `python -m deploy.prune_versions ENV`."
    )
    yield Result("code storage", f"{used / 1e9:.1f} of {most / 1e9:.0f} GB are used.", advice)


QUOTAS = {
    "Elastic IP addresses": ("ec2", "L-0263D0A3", 1),
    "VPCs": ("vpc", "L-F678F1CE", 1),
}
"""By name: service, quota code, and how many the containers need."""


def check_quotas(environment: Environment, client: Client) -> Iterator[Result]:
    """Check that a network still fits into the account's quotas."""
    if not environment.containers:
        return
    ec2 = client("ec2", environment.region)
    ours = [{"Name": "tag:Project", "Values": ["bbws-products"]}]
    if ec2.describe_vpcs(Filters=ours)["Vpcs"]:
        yield Result("quotas", "The network exists.")
        return
    used = {
        "Elastic IP addresses": len(ec2.describe_addresses()["Addresses"]),
        "VPCs": len(ec2.describe_vpcs()["Vpcs"]),
    }
    quotas = client("service-quotas", environment.region)
    for name, (service, code, needed) in QUOTAS.items():
        most = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]["Value"]
        advice = f"Request a higher quota: {service} {code}." if used[name] + needed > most else ""
        yield Result(name, f"{used[name]} of {most:g} are used.", advice)
