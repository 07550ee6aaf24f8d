"""Tests of the whole game day: it finds sabotage, repeats its seed and cleans up."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.engines import ROOT, EngineFailed
from tests.gameday.decisions import ADMIN_KINDS, API_KINDS, decisions, product_ids
from tests.gameday.fault_proxy import PASS, Replace, Request
from tests.gameday.message_faults import MessageFaults
from tests.gameday.schedule import (
    ENGINES,
    FULL_DISK_SECONDS,
    HARD,
    LONG,
    OF_A_NODE,
    ONCE_EACH,
    REPLACED_BY_A_NODE,
    schedule,
)
from tests.gameday.services import external_services, real_services
from tests.gameday.wrong_answers import wrong_answers
from tests.support.processes import until

pytestmark = pytest.mark.slow

OWN = {
    name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "ENGINES_VENV")
}


def gameday(output: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start a game day with a minimal environment, as in a newcomer's shell."""
    with output.open("w") as written:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.gameday", *arguments],
            cwd=ROOT,
            env=OWN,
            stdout=written,
            stderr=subprocess.STDOUT,
            text=True,
        )


def processes_with(text: str) -> list[str]:
    """Return the ids of processes with this text in their environment or arguments."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            seen = (process / "environ").read_bytes() + (process / "cmdline").read_bytes()
        except OSError:
            continue
        if text.encode() in seen:
            found.append(process.name)
    return found


@pytest.mark.timeout(600)
def test_game_day_finds_a_sabotaged_product(tmp_path: Path) -> None:
    """Without the scheduler lost messages are not requeued, and half of the audit is missing."""
    sabotage = [
        "--without",
        "scheduler",
        "--set",
        "DJANGO_SETTINGS_MODULE=tests.gameday.sabotaged_settings",
    ]
    game = gameday(tmp_path / "output", "--writes", "100", "--seed", "7", "--calm", "15", *sabotage)
    assert game.wait(570) == 1
    said = (tmp_path / "output").read_text()
    broken = set(re.findall(r"^(\S.*?) +\d+ +\d+$", said, re.MULTILINE))
    assert broken >= {
        "All effects complete automatically after the faults",
        "Each change has exactly one audit record",
        "The audit chain verifies from S3 alone",
    }
    assert "no audit record" in said
    assert "BROKEN" in said
    assert 'make gameday ARGS="--seed 7 --writes 100"' in said


@pytest.mark.timeout(200)
def test_interrupted_game_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    output = tmp_path / "output"
    game = gameday(output, "--writes", "5000")
    until(lambda: "admin clients are ready" in output.read_text(), seconds=120)
    (home,) = re.findall(r"logs are in (\S+)", output.read_text())
    assert len(processes_with(home)) > 5
    game.send_signal(signal.SIGINT)
    assert game.wait(60) == 130
    assert processes_with(home) == []
    assert not Path(home).exists()
    assert "interrupted" in output.read_text()


def test_seed_repeats_the_same_faults_and_decisions() -> None:
    assert schedule(3, 1500, 4) == schedule(3, 1500, 4) != schedule(4, 1500, 4)
    ids = product_ids(1500)
    for kinds in (API_KINDS, ADMIN_KINDS):
        first, second, other = (
            [
                decision
                for decision, _ in zip(
                    decisions(seed, client, ids, kinds), range(200), strict=False
                )
            ]
            for seed, client in ((3, 1), (3, 1), (3, 2))
        )
        assert first == second != other
        assert {decision.kind for decision in first} == set(kinds)


@pytest.mark.parametrize("writes", [400, 1500, 10_000])
def test_schedule_contains_every_fault_before_the_last_tenth(writes: int) -> None:
    events = schedule(11, writes, 4)
    expected = {*ONCE_EACH, *(HARD if writes >= LONG else ())}
    assert {(event.fault, event.target) for event in events} == expected
    assert max(event.at_write for event in events) <= writes * 0.9
    assert {event.target for event in events if event.fault == "hang"} == set(ENGINES)


def test_long_games_only_have_the_harder_faults() -> None:
    def harder(writes: int) -> int:
        return sum((event.fault, event.target) in HARD for event in schedule(11, writes, 4))

    assert (harder(400), harder(LONG), harder(3 * LONG)) == (0, len(HARD), 3 * len(HARD))


def test_wrong_answers_repeat_with_their_seed() -> None:
    request = Request("POST", "/", "PutItem", b"{}")
    answers = [[repr(wrong_answers(seed)(request)) for _ in range(1)] for seed in "aab"]
    assert answers[0] == answers[1]
    fault = wrong_answers("a")
    kinds = {type(fault(request)).__name__ for _ in range(200)}
    assert kinds == {"str", "Respond", "function"}
    answer = b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"a": [1,2]}'
    changed = [action(answer) for _ in range(200) if callable(action := fault(request))]
    assert all(one != answer for one in changed)


def test_schedule_of_a_real_node_has_its_faults_and_no_permanent_one() -> None:
    events = schedule(11, 2000, 4, has_node=True)
    kinds = {(event.fault, event.target) for event in events}
    assert kinds == set(ONCE_EACH) - REPLACED_BY_A_NODE | set(OF_A_NODE) | set(HARD)
    assert schedule(11, 2000, 4, has_node=True) == events
    disk = [event.seconds for event in events if event.fault == "fill the disk of"]
    assert disk == [FULL_DISK_SECONDS] * 2


def test_real_services_are_those_that_the_shell_does_not_name(tmp_path: Path) -> None:
    assert real_services(tmp_path, {}, {}) == {}
    given = {"DATABASE_URL": "postgres://u@localhost:2/n", "OPENSEARCH_URL": "http://127.0.0.1:1"}
    services = real_services(tmp_path, {"ENGINES": "real"}, given)
    assert services.keys() == {"AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL_SQS"}


def test_message_faults_double_delay_and_lose_only_sent_messages() -> None:
    message_faults = MessageFaults(5)
    sent = Request("POST", "/", "SendMessage", b'{"MessageBody": "x", "DelaySeconds": 1}')
    actions = [message_faults(sent) for _ in range(1000)]
    changed = [action for action in actions if isinstance(action, Replace)]
    doubled, delayed, lost = (
        [action for action in changed if len(action.bodies) == count] for count in (2, 1, 0)
    )
    assert 60 < len(doubled) < 140
    assert 60 < len(delayed) < 140
    assert 10 < len(lost) < 60
    assert all(b'"DelaySeconds": 1' not in action.bodies[0] for action in delayed)
    # boto3 compares this checksum with the message's.
    assert b"9dd4e461268c8034f5c8564e155c67a6" in lost[0].answer
    assert message_faults(Request("POST", "/", "ReceiveMessage", b"{}")) == PASS
    assert sum(message_faults.fault_counts.values()) == 1000


def test_external_services_must_be_on_this_machine() -> None:
    local = {
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "DATABASE_URL": "postgres://u@localhost:2/n",
    }
    assert external_services(local) == local
    assert external_services({"DATABASE_URL": "sqlite:///db"}) == {}
    with pytest.raises(EngineFailed, match="DATABASE_URL is not on this machine"):
        external_services({"DATABASE_URL": "postgres://u@db.example/n"})
    with pytest.raises(EngineFailed, match="not run in the environment of a real one"):
        external_services({"ENVIRONMENT": "prod"})
