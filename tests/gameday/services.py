"""The services that a game day uses instead of the embedded ones."""

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.engines import EngineFailed
from tests.second_engines.engines import Engine, engines_by_variable

LOCAL_HOSTS = {"127.0.0.1", "localhost", "::1"}
EXTERNAL = (
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_SQS",
    "OPENSEARCH_URL",
    "DATABASE_URL",
)
"""Variables that name services to use instead of the embedded ones."""


def external_services(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the URLs of the services that the shell names.

    Raise EngineFailed when they are not on this machine, because a game day creates tables, queues
    and users.
    """
    given = {name: environment.get(name, "") for name in EXTERNAL}
    found = {name: url for name, url in given.items() if url and not url.startswith("sqlite")}
    for name, url in found.items():
        if (urlsplit(url).hostname or "") not in LOCAL_HOSTS:
            raise EngineFailed(
                f"{name} is not on this machine. A game day must not use shared services."
            )
    if environment.get("ENVIRONMENT") in {"sit", "prod"}:
        raise EngineFailed(
            "A game day starts its own product. It does not run in the environment of a real one."
        )
    return found


def real_services(
    home: Path, environment: Mapping[str, str], external: Mapping[str, str]
) -> dict[str, Engine]:
    """Return the services to start for ENGINES=real, without those that the shell names."""
    if environment.get("ENGINES", "embedded") != "real":
        return {}
    engines = engines_by_variable(home)
    return {name: engine for name, engine in engines.items() if name not in external}
