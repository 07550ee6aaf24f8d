"""Check an account before a deployment: ``python -m deploy.preflight ENV``.

It changes nothing. The exit status is 1 if something would stop the deployment.
"""

import sys
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from deploy.preflight.checks import run_checks
from deploy.preflight.environment import load
from deploy.preflight.results import Result

LIMITS = Config(connect_timeout=5, read_timeout=20, retries={"total_max_attempts": 3})


@cache
def client(service: str, region: str) -> Any:
    """Return a client of a service in a region."""
    return boto3.client(service, region_name=region, config=LIMITS)  # type: ignore[call-overload]


def line(result: Result) -> str:
    """Return a result as one line for people."""
    state = "FAILS" if result.is_failure else "warns" if result.advice else "ok"
    return f"{state:5}  {result.subject}: {result.found} {result.advice}".rstrip()


def main(name: str) -> int:
    """Print all results; return the exit status."""
    try:
        environment = load(name)
    except ValueError as refusal:
        print(refusal)
        return 1
    results = list(run_checks(environment, client))
    print("\n".join(map(line, results)))
    failures = sum(result.is_failure for result in results)
    if failures:
        print(f"{failures} of {len(results)} checks fail.")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
