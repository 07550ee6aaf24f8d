"""Which engines `make run` uses: embedded, real, or given by their addresses."""

import os
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local.engines import EngineFailed, Engines
from deploy.local.java_engines import DynamoDBLocal, ElasticMq, JavaEngine, OpenSearchNode

SERVICES = ("DYNAMODB", "SQS", "S3", "CLOUDFRONT")
CHOICES = ("embedded", "real")
ACCOUNT = "000000000000"


@dataclass
class Choice:
    """The engines of one run. ``given`` are the addresses that the shell names."""

    given: Mapping[str, str]
    embedded: Engines
    real: dict[str, JavaEngine] = field(default_factory=dict)

    @property
    def uses_embedded_aws(self) -> bool:
        """Whether an AWS service is neither given nor real."""
        return "AWS_ENDPOINT_URL" not in self.given

    @property
    def uses_embedded_table(self) -> bool:
        """Whether the products are in the embedded AWS."""
        return self.uses_embedded_aws and "AWS_ENDPOINT_URL_DYNAMODB" not in self.addresses()

    @property
    def uses_embedded_search(self) -> bool:
        return "OPENSEARCH_URL" not in self.addresses()

    @property
    def dynamodb_local(self) -> DynamoDBLocal | None:
        """The DynamoDB Local that this run starts."""
        engine = self.real.get("AWS_ENDPOINT_URL_DYNAMODB")
        return engine if isinstance(engine, DynamoDBLocal) else None

    def addresses(self) -> dict[str, str]:
        """Return the variables that name engines other than the embedded ones."""
        return {name: engine.url for name, engine in self.real.items()} | dict(self.given)

    def variables(self) -> dict[str, str]:
        """Return ``addresses`` with the variables that follow from them."""
        found = self.addresses()
        default = found.get("AWS_ENDPOINT_URL", self.embedded.aws_url)
        sqs = found.get("AWS_ENDPOINT_URL_SQS", default)
        s3 = found.get("AWS_ENDPOINT_URL_S3", default)
        derived = {
            "SQS_QUEUE_URL_PREFIX": f"{sqs}/{ACCOUNT}",
            "MEDIA_URL": f"{s3}/bbws-product-media-dev/",
        }
        return derived | found

    def start(self, ends: ExitStack) -> None:
        """Start the engines that are neither given nor running. ``ends`` stops them."""
        for engine in self.real.values():
            ends.callback(engine.stop)
            engine.start()
        ends.callback(self.embedded.stop)
        if self.uses_embedded_aws:
            self.embedded.start_aws()
        if self.uses_embedded_search:
            self.embedded.start_search()

    def has_ended(self) -> bool:
        """Whether an engine that this run has started is not running any more."""
        real = [engine.process for engine in self.real.values() if engine.process]
        return any(child.poll() is not None for child in [*self.embedded.running, *real])

    def description(self) -> str:
        """Return a line that names every engine."""
        found = self.addresses()
        default = found.get("AWS_ENDPOINT_URL", "embedded")
        names = {"DynamoDB": "DYNAMODB", "SQS": "SQS", "S3": "S3", "CloudFront": "CLOUDFRONT"}
        places = {
            shown: found.get(f"AWS_ENDPOINT_URL_{name}", default) for shown, name in names.items()
        }
        places["OpenSearch"] = found.get("OPENSEARCH_URL", "embedded")
        places["SQL"] = "given" if "DATABASE_URL" in found else "SQLite"
        return ", ".join(f"{name} {self._shown(place)}" for name, place in places.items())

    def _shown(self, place: str) -> str:
        """Return the address with the engine's name where this run has started it."""
        names = {engine.url: engine.name for engine in self.real.values()}
        return f"{names[place]} at {place}" if place in names else place


def choose(home: Path, environment: Mapping[str, str] = os.environ) -> Choice:
    """Return the engines that the environment asks for.

    ``ENGINES=real`` replaces the embedded engines that have a real counterpart. An address in a
    variable replaces any engine. Raises: EngineFailed for any other value of ENGINES.
    """
    kind = environment.get("ENGINES", "embedded")
    if kind not in CHOICES:
        raise EngineFailed(f"ENGINES must be one of {', '.join(CHOICES)}, not {kind!r}.")
    names = [
        "OPENSEARCH_URL",
        "DATABASE_URL",
        "AWS_ENDPOINT_URL",
        *(f"AWS_ENDPOINT_URL_{service}" for service in SERVICES),
    ]
    given = {name: environment[name] for name in names if environment.get(name)}
    real = _real_engines(home) if kind == "real" else {}
    return Choice(
        given,
        Engines(home),
        {name: engine for name, engine in real.items() if not _is_given(name, given)},
    )


def _is_given(name: str, given: Mapping[str, str]) -> bool:
    is_aws = name.startswith("AWS_ENDPOINT_URL")
    return name in given or (is_aws and "AWS_ENDPOINT_URL" in given)


def _real_engines(home: Path) -> dict[str, JavaEngine]:
    """Return the real engines by the variable that names their address. They keep their data."""
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": DynamoDBLocal(home=home / "dynamodb", heap="2g", keep=True),
        "OPENSEARCH_URL": OpenSearchNode(home=home / "opensearch", heap="2g"),
        "AWS_ENDPOINT_URL_SQS": ElasticMq(home=home / "elasticmq"),
    }
