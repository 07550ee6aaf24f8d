"""``make bench-cold-start``: how much more than a bare boto3 handler the API's function needs to start and answer.

Both are fresh processes that import a handler and let it answer one event: a product read from DynamoDB by its key. One
is the built zip, as it is deployed; the other is what one would write without any of this: boto3, a client, GetItem.
Both have their libraries compiled for good, with nothing else on the path. They take turns, so that what else this
machine does hits both alike, and what is compared is each pair. Time is told twice: the processor's, and the clock's.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import zipfile
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


def event(product_id: str) -> dict[str, Any]:
    """What API Gateway sends for a GET of a product."""
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
    """The libraries of boto3, whole, as the runtime brings them along, and the handler."""
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


def start(
    folder: Path, module: str, asked: dict[str, Any], variables: dict[str, str]
) -> tuple[float, float, float]:
    """Seconds of the processor and of the clock from import to answer, and of the clock for the answer alone."""
    command = [sys.executable, "-S", "-I", "-c", MEASURE, f"{folder}:{module}", json.dumps(asked)]
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True, check=True, timeout=120
    )
    cpu, clock, answer = json.loads(done.stdout.splitlines()[-1])
    return cpu, clock, answer


def environment(engines: Engines, table: str) -> dict[str, str]:
    """What Terraform gives the function that reads a product, but with keys in place of where they are kept."""
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
    """Medians: of the ratio of each pair, and of each side's seconds."""
    zipped = home / "api.zip"
    build(MACHINE, zipped)
    api, plain, asked = unpacked(zipped), bare(home), event("p1")
    pairs = []
    for _ in range(rounds + 1):
        ours = start(api, "bbws_products.aws_lambda", asked, variables)
        pairs.append((ours, start(plain, "bare", asked, variables)))
    pairs = pairs[1:]  # the first reads the files into the machine's memory

    def median(pick: Any) -> float:
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
            a_product_in("bench")
            figures = compared(home, environment(engines, "bench"), ROUNDS)
        finally:
            engines.stop()
    for name, value in figures.items():
        print(f"{name:<22}{value:8.2f}")
    if "--write" in sys.argv[1:]:
        write_section(TITLE, f"{table(rows_of(figures))}\n\n{machine()}")


def rows_of(figures: dict[str, float]) -> list[Row]:
    """Return the rows of the documented table; the ratios are medians over the pairs."""
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


def a_product_in(table: str) -> None:
    """Its table and its record."""
    from deploy.local.resources import create_table  # noqa: PLC0415 # its clients read the environment
    from products.adapters.aws.clients import client  # noqa: PLC0415
    from products.adapters.dynamodb.table import DynamoProductTable  # noqa: PLC0415
    from tests.support.builders import a_product  # noqa: PLC0415

    create_table(table)
    DynamoProductTable(client("dynamodb"), table).put_record(a_product())


if __name__ == "__main__":
    main()
