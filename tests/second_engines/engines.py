"""The engines that can replace the embedded ones, by the variable that names their address."""

from pathlib import Path
from typing import Protocol

from deploy.local.java_engines import DynamoDBLocal, ElasticMq, OpenSearchNode
from tests.second_engines.postgres import Postgres


class Engine(Protocol):
    """An engine that the tests may use instead of the embedded one."""

    @property
    def url(self) -> str: ...
    def missing(self) -> str: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


def engines_by_variable(home: Path) -> dict[str, Engine]:
    """Return the engines by the environment variable that names their address."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": DynamoDBLocal(home=home / "dynamodb"),
        "OPENSEARCH_URL": OpenSearchNode(home=home / "opensearch"),
        "AWS_ENDPOINT_URL_SQS": ElasticMq(home=home / "elasticmq"),
        "DATABASE_URL": Postgres(),
    }
