"""Which engines `make run` uses, by the variables of the shell."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local import engines
from deploy.local.choice import choose
from deploy.local.engines import EngineFailed

HOME = Path("unused")
REAL = {"AWS_ENDPOINT_URL_DYNAMODB", "OPENSEARCH_URL", "AWS_ENDPOINT_URL_SQS"}


def test_the_embedded_engines_are_the_default() -> None:
    choice = choose(HOME, {"PATH": "/bin"})
    assert (choice.uses_embedded_aws, choice.uses_embedded_search) == (True, True)
    assert choice.addresses() == {}
    assert choice.variables()["SQS_QUEUE_URL_PREFIX"].startswith(choice.embedded.aws_url)
    assert choice.description().startswith("DynamoDB embedded, SQS embedded")


@pytest.mark.parametrize(
    ("given", "uses_aws", "uses_search", "queues_at"),
    [
        ({"OPENSEARCH_URL": "http://search"}, True, False, None),
        ({"DATABASE_URL": "postgres://sql/db"}, True, True, None),
        ({"AWS_ENDPOINT_URL": "http://aws"}, False, True, "http://aws"),
        ({"AWS_ENDPOINT_URL_SQS": "http://sqs"}, True, True, "http://sqs"),
        (
            {"AWS_ENDPOINT_URL": "http://aws", "AWS_ENDPOINT_URL_SQS": "http://sqs"},
            False,
            True,
            "http://sqs",
        ),
    ],
)
def test_a_given_address_replaces_its_engine(
    given: dict[str, str], uses_aws: bool, uses_search: bool, queues_at: str | None
) -> None:
    choice = choose(HOME, given)
    assert (choice.uses_embedded_aws, choice.uses_embedded_search) == (uses_aws, uses_search)
    variables = choice.variables()
    assert given.items() <= variables.items()
    queues_at = queues_at or choice.embedded.aws_url
    assert variables["SQS_QUEUE_URL_PREFIX"] == f"{queues_at}/000000000000"


def test_real_engines_replace_those_that_have_one() -> None:
    choice = choose(HOME, {"ENGINES": "real"})
    assert choice.real.keys() == REAL
    assert choice.addresses() == {name: engine.url for name, engine in choice.real.items()}
    assert (choice.uses_embedded_aws, choice.uses_embedded_search) == (True, False)
    assert "SQS ElasticMq at http://127.0.0.1:" in choice.description()
    assert "S3 embedded, CloudFront embedded" in choice.description()


@pytest.mark.parametrize(
    ("given", "started"),
    [
        ({"OPENSEARCH_URL": "http://search"}, REAL - {"OPENSEARCH_URL"}),
        ({"AWS_ENDPOINT_URL_SQS": "http://sqs"}, REAL - {"AWS_ENDPOINT_URL_SQS"}),
        ({"AWS_ENDPOINT_URL": "http://aws"}, {"OPENSEARCH_URL"}),
    ],
)
def test_a_given_address_also_replaces_a_real_engine(
    given: dict[str, str], started: set[str]
) -> None:
    assert choose(HOME, {"ENGINES": "real"} | given).real.keys() == started


def test_a_machine_without_an_embedded_index_is_shown_the_real_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osmem-server has no build for a Mac with an Intel processor, so `make setup` skips it."""
    monkeypatch.setattr(engines, "ENGINES", tmp_path)
    choice = choose(HOME, {"AWS_ENDPOINT_URL": "http://aws"})
    with ExitStack() as ends, pytest.raises(EngineFailed) as failed:
        choice.start(ends)
    assert str(failed.value).endswith("use a real one: make run ENGINES=real")


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(EngineFailed, match="ENGINES must be one of embedded, real, not 'docker'"):
        choose(HOME, {"ENGINES": "docker"})
