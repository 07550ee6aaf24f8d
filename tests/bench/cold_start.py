"""``make bench-cold-start``: compare the API function's cold start with a bare boto3 handler's.

Both are new processes that import a handler and let it answer one event: a product read from
DynamoDB by its key. One is the built zip, as it is deployed. The other has only boto3, a client and
GetItem. Both have compiled libraries and nothing else on the path.

They alternate, so that other load on the machine affects both, and the ratio of each pair counts.
CPU time and elapsed time are reported.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from deploy.local.engines import Engines
from deploy.package.build import build, download_wheels, with_bytecode, write_zip
from tests.bench.report import Row, machine, table
from tests.bench.results import write_section

TITLE = "Cold start of the function that reads a product"
MAX_RATIO = 1.35
ROUNDS = int(os.environ.get("ROUNDS", "15"))
MACHINE = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
BOTO3 = ("boto3-", "botocore-", "jmespath-", "s3transfer-", "urllib3-", "python_dateutil-", "six-")
BARE = """
import json, os
import boto3

dynamodb = boto3.client("dynamodb")

def handler(event, context):
    key = {"PK": {"S": "PRODUCT#" + event["pathParameters"]["productId"]}, "SK": {"S": "METADATA"}}
    found = dynamodb.get_item(TableName=os.environ["PRODUCTS_TABLE"], Key=key, ConsistentRead=True)
    return {"statusCode": 200, "body": json.dumps(found["Item"])}
"""
MEASURE = """
import sys, time, json, importlib
event = json.loads(sys.argv[2])
sys.path.insert(0, sys.argv[1].partition(":")[0])
cpu, clock = time.process_time(), time.perf_counter()
handler = importlib.import_module(sys.argv[1].partition(":")[2]).handler
begun = time.perf_counter()
answer = handler(event, None)
took = time.process_time() - cpu, time.perf_counter() - clock, time.perf_counter() - begun
assert answer["statusCode"] == 200, answer
print(json.dumps(took))
"""


Durations = tuple[float, float, float]


def event(product_id: str) -> dict[str, Any]:
    """Return the event that API Gateway sends for a GET of a product."""
    path = f"/v1.0/products/{product_id}"
    identity = {"sourceIp": "192.0.2.1"}
    context = {
        "requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef",
        "path": path,
        "identity": identity,
    }
    return {
        "resource": "/v1.0/products/{productId}",
        "path": path,
        "httpMethod": "GET",
        "headers": {
            "Accept": "application/json",
            "Host": "api.example",
            "X-Forwarded-Proto": "https",
        },
        "pathParameters": {"productId": product_id},
        "queryStringParameters": None,
        "requestContext": context,
        "body": None,
        "isBase64Encoded": False,
    }


def bare(folder: Path) -> Path:
    """Build the bare handler with all libraries of boto3, as the Lambda runtime has them."""
    files = {"bare.py": BARE.encode()}
    for wheel in download_wheels(MACHINE):
        if wheel.name.startswith(BOTO3):
            with zipfile.ZipFile(wheel) as archive:
                files |= {
                    name: archive.read(name)
                    for name in archive.namelist()
                    if not name.endswith("/")
                }
    write_zip(with_bytecode(files), folder / "bare.zip")
    return unpacked(folder / "bare.zip")


def unpacked(zipped: Path) -> Path:
    with zipfile.ZipFile(zipped) as archive:
        archive.extractall(zipped.with_suffix(""))
    return zipped.with_suffix("")


def start(folder: Path, module: str, asked: dict[str, Any], variables: dict[str, str]) -> Durations:
    """Run a handler in a new process and return three durations in seconds.

    These are CPU time and elapsed time from import to answer, and elapsed time of the answer alone.
    """
    command = [sys.executable, "-S", "-I", "-c", MEASURE, f"{folder}:{module}", json.dumps(asked)]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, check=True, timeout=120
    )
    cpu, clock, answer = json.loads(done.stdout.splitlines()[-1])
    return cpu, clock, answer


def environment(engines: Engines, table: str) -> dict[str, str]:
    """Return the function's environment as in Terraform, with keys instead of their locations."""
    return {
        "DJANGO_SETTINGS_MODULE": "bbws_products.settings.api",
        "ENVIRONMENT": "dev",
        "SECRET_KEY": "insecure-key-of-the-bench-0123456789",
        "TOKEN_KEYS": "insecure-token-key-of-the-bench-0123456789",
        "PRODUCTS_TABLE": table,
        "SQS_QUEUE_URL_PREFIX": f"{engines.aws_url}/000000000000",
        "OPENSEARCH_URL": engines.search_url,
        "MEDIA_URL": "https://media.example/",
        "PRIME": os.environ.get("PRIME", "tokens"),
        "AWS_ENDPOINT_URL": engines.aws_url,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }


def compared(home: Path, variables: dict[str, str], rounds: int) -> dict[str, float]:
    """Return the medians of the pairs' ratios and of each side's durations."""
    zipped = home / "api.zip"
    build(MACHINE, zipped)
    api, plain, asked = unpacked(zipped), bare(home), event("p1")
    pairs = []
    for _ in range(rounds + 1):
        ours = start(api, "bbws_products.aws_lambda", asked, variables)
        pairs.append((ours, start(plain, "bare", asked, variables)))
    pairs = pairs[1:]  # the first pair fills the file cache

    def median(pick: Callable[[Durations, Durations], float]) -> float:
        return statistics.median(pick(ours, theirs) for ours, theirs in pairs)

    return {
        "CPU ratio": median(lambda ours, theirs: ours[0] / theirs[0]),
        "wall ratio": median(lambda ours, theirs: ours[1] / theirs[1]),
        "API CPU ms": 1000 * median(lambda ours, theirs: ours[0]),
        "bare CPU ms": 1000 * median(lambda ours, theirs: theirs[0]),
        "API wall ms": 1000 * median(lambda ours, theirs: ours[1]),
        "bare wall ms": 1000 * median(lambda ours, theirs: theirs[1]),
        "API first answer ms": 1000 * median(lambda ours, theirs: ours[2]),
        "bare first answer ms": 1000 * median(lambda ours, theirs: theirs[2]),
    }


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="bbws-bench-") as folder:
        home = Path(folder)
        engines = Engines(home / "engines")
        engines.start()
        try:
            os.environ.update(environment(engines, "bench"))
            create_product("bench")
            figures = compared(home, environment(engines, "bench"), ROUNDS)
        finally:
            engines.stop()
    for name, value in figures.items():
        print(f"{name:<22}{value:8.2f}")
    if "--write" in sys.argv[1:]:
        write_section(TITLE, f"{table(rows_of(figures))}\n\n{machine()}")


def rows_of(figures: dict[str, float]) -> list[Row]:
    """Return the rows of the documented table. The ratios are medians over the pairs."""
    verdict = "reached" if figures["CPU ratio"] <= MAX_RATIO else "**missed**"
    return [
        Row(
            "Import to first answer, CPU time",
            f"{figures['API CPU ms']:.0f} ms",
            f"bare boto3 handler: {figures['bare CPU ms']:.0f} ms",
            f"{figures['CPU ratio']:.2f} ×",
            f"≤ {MAX_RATIO:g} ×",
            verdict,
        ),
        Row(
            "The same by the clock",
            f"{figures['API wall ms']:.0f} ms",
            f"bare boto3 handler: {figures['bare wall ms']:.0f} ms",
            f"{figures['wall ratio']:.2f} ×",
        ),
    ]


def create_product(table: str) -> None:
    """Create the table and the record of a product."""
    # These modules read the environment when they are imported.
    from deploy.local.resources import create_table  # noqa: PLC0415
    from products.adapters.aws.clients import client  # noqa: PLC0415
    from products.adapters.dynamodb.table import DynamoProductTable  # noqa: PLC0415
    from tests.support.builders import NOON, a_product  # noqa: PLC0415

    create_table(table)
    DynamoProductTable(client("dynamodb"), table).put_record(a_product(), NOON)


if __name__ == "__main__":
    main()
