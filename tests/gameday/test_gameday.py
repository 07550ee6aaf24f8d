"""The game day as a whole: it finds what was made worse, it can be repeated, and it leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.engines import ROOT, EngineFailed
from tests.gameday.decisions import ADMIN_KINDS, API_KINDS, decisions, product_ids
from tests.gameday.fault_proxy import PASS, Instead, Request
from tests.gameday.messages import Tampering
from tests.gameday.schedule import ENGINES, ONCE_EACH, schedule
from tests.gameday.stack import other_engines
from tests.support.processes import until

pytestmark = pytest.mark.slow

OWN = {
    name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "ENGINES_VENV")
}


def gameday(output: Path, *arguments: str) -> subprocess.Popen[str]:
    """As a newcomer's shell starts it, which has no variable of ours."""
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
    """Every process that has this text in its environment or among its arguments."""
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
def test_a_product_that_was_made_worse_is_found_out(tmp_path: Path) -> None:
    """No relay rings for lost messages, and half of the audit records are only stamped."""
    worse = [
        "--without",
        "scheduler",
        "--set",
        "DJANGO_SETTINGS_MODULE=tests.gameday.sabotaged_settings",
    ]
    game = gameday(tmp_path / "output", "--writes", "100", "--seed", "7", "--calm", "15", *worse)
    assert game.wait(570) == 1
    said = (tmp_path / "output").read_text()
    broken = set(re.findall(r"^(\S.*?) +\d+ +\d+$", said, re.MULTILINE))
    assert broken >= {
        "All comes about by itself once it is calm",
        "No effect doubled: one audit record per change",
        "The audit chain verifies from S3 alone",
    }
    assert "no audit record" in said
    assert "BROKEN" in said
    assert 'make gameday ARGS="--seed 7 --writes 100"' in said


@pytest.mark.timeout(200)
def test_an_interrupted_game_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    output = tmp_path / "output"
    game = gameday(output, "--writes", "5000")
    until(lambda: "of the admin are there" in output.read_text(), seconds=120)
    (home,) = re.findall(r"logs are in (\S+)", output.read_text())
    assert len(processes_with(home)) > 5
    game.send_signal(signal.SIGINT)
    assert game.wait(60) == 130
    assert processes_with(home) == []
    assert not Path(home).exists()
    assert "interrupted" in output.read_text()


def test_a_seed_chooses_the_same_faults_and_decisions_again() -> None:
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
def test_everything_that_can_go_wrong_goes_wrong_before_the_end(writes: int) -> None:
    events = schedule(11, writes, 4)
    assert {(event.what, event.whom) for event in events} == set(ONCE_EACH)
    assert max(event.at_write for event in events) <= writes * 0.9
    assert {event.whom for event in events if event.what == "hang"} == set(ENGINES)


def test_messages_come_twice_late_or_never_and_nothing_else_is_touched() -> None:
    tampering = Tampering(5)
    sent = Request("POST", "/", "SendMessage", b'{"MessageBody": "x", "DelaySeconds": 1}')
    fates = [tampering(sent) for _ in range(1000)]
    changed = [fate for fate in fates if isinstance(fate, Instead)]
    doubled, delayed, lost = (
        [fate for fate in changed if len(fate.bodies) == count] for count in (2, 1, 0)
    )
    assert 60 < len(doubled) < 140
    assert 60 < len(delayed) < 140
    assert 10 < len(lost) < 60
    assert all(b'"DelaySeconds": 1' not in fate.bodies[0] for fate in delayed)
    assert (
        b"9dd4e461268c8034f5c8564e155c67a6" in lost[0].answer
    )  # the checksum a client may compare
    assert tampering(Request("POST", "/", "ReceiveMessage", b"{}")) == PASS
    assert sum(tampering.happened.values()) == 1000


def test_only_engines_of_this_machine_are_taken() -> None:
    local = {
        "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
        "DATABASE_URL": "postgres://u@localhost:2/n",
    }
    assert other_engines(local) == local
    assert other_engines({"DATABASE_URL": "sqlite:///db"}) == {}
    with pytest.raises(EngineFailed, match="DATABASE_URL is not on this machine"):
        other_engines({"DATABASE_URL": "postgres://u@db.example/n"})
    with pytest.raises(EngineFailed, match="not run in the environment of a real one"):
        other_engines({"ENVIRONMENT": "prod"})
