"""``make test-engines``: run the storage tests on other services than the embedded ones.

This starts DynamoDB Local, an OpenSearch node, ElasticMQ and PostgreSQL, and reports what it leaves
out because Java or Maven is missing. ``AWS_ENDPOINT_URL_DYNAMODB``, ``OPENSEARCH_URL``,
``AWS_ENDPOINT_URL_SQS`` and ``DATABASE_URL`` name services to use instead, and
``AWS_ENDPOINT_URL_S3`` an object store.
"""

import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from deploy.local.engines import ROOT, exit_on_engine_failure
from tests.second_engines.engines import engines_by_variable

OBJECT_STORE = "AWS_ENDPOINT_URL_S3"
SHORT = ["--writes", "150", "--seconds", "30", "--seed", "2026"]


def main() -> int:
    selection = sys.argv[1:] or ["-m", "engines"]
    with exit_on_engine_failure(), ExitStack() as ends:
        home = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="bbws-second-")))
        variables = dict(os.environ)
        for name, engine in engines_by_variable(home).items():
            if name in variables:
                continue
            if sentence := engine.missing():
                sys.stdout.write(f"Left out: {name}. {sentence}\n")
                continue
            ends.callback(engine.stop)
            engine.start()
            variables[name] = engine.url
        variables.setdefault("HISTORIES", "10")
        variables.setdefault("WALKED_PRODUCTS", "10000")
        names = [*engines_by_variable(home), OBJECT_STORE]
        given = [name for name in names if name in variables]
        variables["SECOND_ENGINES"] = " ".join(given)
        return run_tests(selection, variables) or run_game_day(variables)


def run_tests(selection: list[str], variables: dict[str, str]) -> int:
    # No coverage: the run on the embedded services measures it.
    options = ["--no-cov", "-n", "2", "--dist", "worksteal"]
    command = [sys.executable, "-m", "pytest", *options, *selection]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


def run_game_day(variables: dict[str, str]) -> int:
    """Run a short game day, unless the arguments select tests."""
    if len(sys.argv) > 1:
        return 0
    command = [sys.executable, "-m", "tests.gameday", *SHORT]
    return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
