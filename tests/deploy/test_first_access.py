"""The way to the first keys, user and token: no secret is printed, and each is where it belongs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import psycopg
import pytest
from cryptography import x509
from django.contrib.auth.models import User
from django.core.management import CommandError

from deploy.local.engines import ROOT
from products.access import tokens
from products.models import ApiToken
from tests.second_engines.postgres import Postgres
from tests.support.aws_environment import Environment
from tests.support.commands import output
from tests.support.tools import path_of

pytestmark = [pytest.mark.timeout(180), pytest.mark.django_db]


def secret(name: str) -> str:
    """Return the value of a parameter, which must be encrypted."""
    parameter = boto3.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert parameter["Type"] == "SecureString"
    return str(parameter["Value"])


def test_password_is_only_in_its_parameter(environment: Environment) -> None:
    place = f"/bbws-products-access/{environment.name}/password"
    printed = output("create_user", "ann", "--superuser", "--to-parameter", place)
    user = User.objects.get(username="ann")
    assert user.check_password(secret(place))
    assert user.is_superuser
    assert user.is_staff
    assert secret(place) not in printed
    assert place in printed
    before = secret(place)
    output("create_user", "ann", "--superuser", "--to-parameter", place)  # after a lost password
    assert secret(place) != before
    assert User.objects.get(username="ann").check_password(secret(place))


def test_user_of_the_smoke_test_has_a_token_but_no_login(environment: Environment) -> None:
    place = f"/bbws-products-access/{environment.name}/smoke-token"
    output("create_user", "smoke", "--group", "Product admins")
    user = User.objects.get(username="smoke")
    assert (user.has_usable_password(), user.is_staff, user.is_superuser) == (False, False, False)
    printed = output("issue_token", "smoke", "--to-parameter", place)
    assert secret(place) not in printed
    verified = tokens.verify(secret(place))
    assert verified.has_perm("products.add_product")
    assert ApiToken.objects.get().user == user


def test_existing_user_gets_no_other_rights(environment: Environment) -> None:
    User.objects.create(username="ann")
    with pytest.raises(CommandError, match="other rights"):
        output("create_user", "ann", "--superuser", "--to-parameter", "/x")
    assert not User.objects.get(username="ann").is_superuser


def start_keys(
    environment: str, home: Path, *name: str, value: str = "", aws: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the script, with another AWS command line if one is given."""
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    path = f"{(aws or Path(path_of('aws'))).parent}:{os.environ['PATH']}"
    return subprocess.run(
        [ROOT / "deploy/keys.sh", environment, *name],
        env={**variables, "PATH": path, "HOME": str(home), "TMPDIR": str(home)},
        input=value,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def run_keys(environment: str, home: Path, *name: str, value: str = "") -> str:
    """Run the script, and return all that it prints."""
    done = start_keys(environment, home, *name, value=value)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.needs("aws")
def test_secrets_of_people_are_stored_and_never_printed(
    environment: Environment, tmp_path: Path
) -> None:
    name = f"/bbws-products-people/{environment.name}/OIDC_CLIENT_SECRET"
    for value in ("first-value", "later-value"):
        printed = run_keys(environment.name, tmp_path, "OIDC_CLIENT_SECRET", value=f"{value}\n")
        assert secret(name) == value
        assert printed == f"{name} was stored.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs("aws")
def test_keys_are_created_once_and_never_printed(environment: Environment, tmp_path: Path) -> None:
    def run() -> str:
        return run_keys(environment.name, tmp_path)

    first = run()
    names = [f"/bbws-products/{environment.name}/{key}" for key in ("SECRET_KEY", "TOKEN_KEYS")]
    names.append(f"/bbws-products-database/{environment.name}/PASSWORD")
    values = [secret(name) for name in names]
    assert len({*values}) == 3
    assert all(len(value) == 64 for value in values)
    second = run()
    assert [secret(name) for name in names] == values
    assert [value for value in values if value in first + second] == []
    assert second.count("was kept") == 3
    assert list(tmp_path.iterdir()) == []  # no file with a key is left


@pytest.mark.needs("aws")
def test_existing_key_that_cannot_be_read_is_kept(environment: Environment, tmp_path: Path) -> None:
    name = f"/bbws-products/{environment.name}/SECRET_KEY"
    boto3.client("ssm").put_parameter(Name=name, Value="existing", Type="SecureString")
    (tmp_path / "bin").mkdir()
    aws = tmp_path / "bin" / "aws"
    aws.write_text(f'#!/bin/sh\n[ "$2" != get-parameter ] && exec "{path_of("aws")}" "$@"\n')
    aws.chmod(0o755)
    done = start_keys(environment.name, tmp_path, aws=aws)
    assert "ParameterAlreadyExists" in done.stderr
    assert secret(name) == "existing"


# The database


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    server.start()
    yield server
    server.stop()


def manage(postgres: Postgres, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a management command on PostgreSQL, as its master user."""
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": postgres.url} | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.needs("postgres")
def test_application_may_write_rows_but_not_change_tables(postgres: Postgres) -> None:
    role = {"DATABASE_ROLE": "bbws_app", "DATABASE_ROLE_PASSWORD": 'it\'s a "password"'}
    assert manage(postgres, "migrate", "--verbosity", "0").returncode == 0
    for _ in range(2):  # after each migration
        done = manage(postgres, "database_role", **role)
        assert done.returncode == 0, done.stderr
        assert role["DATABASE_ROLE_PASSWORD"] not in done.stdout + done.stderr
    application: Any = psycopg.connect(
        host="127.0.0.1",
        port=postgres.port,
        dbname="postgres",
        user="bbws_app",
        password=role["DATABASE_ROLE_PASSWORD"],
        autocommit=True,
    )
    with application:
        application.execute("INSERT INTO auth_group (name) VALUES ('a group')")
        counted = application.execute("SELECT count(*) FROM auth_group WHERE name = 'a group'")
        assert counted.fetchone() == (1,)
        for statement in (
            "DROP TABLE auth_group",
            "ALTER TABLE auth_group ADD COLUMN x text",
            "CREATE TABLE own (x text)",
            "CREATE ROLE other SUPERUSER",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(statement)


@pytest.mark.needs("postgres")
def test_database_role_needs_a_name_and_a_password(postgres: Postgres) -> None:
    done = manage(postgres, "database_role")
    assert done.returncode == 1
    assert "must be set" in done.stderr


def test_database_without_roles_is_left_alone() -> None:
    assert output("database_role") == "This database has no roles."


def test_database_certificates_cover_our_regions_for_years() -> None:
    text = (ROOT / "deploy/rds-roots.pem").read_bytes()
    certificates = x509.load_pem_x509_certificates(text)
    names = {
        str(found.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)
        for found in certificates
    }
    for region in ("af-south-1", "eu-west-1"):
        kinds = {name.partition(" Root CA ")[2] for name in names if f" {region} " in name}
        assert kinds == {"RSA2048 G1", "RSA4096 G1", "ECC384 G1"}
    in_ten_years = datetime.now(UTC) + timedelta(days=3650)
    assert all(found.not_valid_after_utc > in_ten_years for found in certificates)
    assert all(found.subject == found.issuer for found in certificates)
    assert json.dumps(sorted(names)).count("Amazon RDS") == 6
