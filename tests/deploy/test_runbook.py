"""The runbook has a page for each alarm, and its links, commands and log events exist."""

import re

import pytest
from django.core.management import get_commands

from bbws_products.metrics import METRICS
from deploy.local.engines import ROOT

RUNBOOK = (ROOT / "docs" / "operations.md").read_text()
TERRAFORM = ROOT / "deploy" / "terraform"
PAGES = {
    re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
    for heading in re.findall(r"^#+ (.+)$", RUNBOOK, re.MULTILINE)
}
"""The anchors of all headings."""


@pytest.mark.skipif(not TERRAFORM.exists(), reason="no Terraform files here")
def test_each_alarm_has_its_page() -> None:
    sources = "\n".join(path.read_text() for path in TERRAFORM.rglob("*.tf"))
    pages_of_alarms = set(re.findall(r'\bpage\s*=\s*"([\w-]+)"', sources))
    linked = set(re.findall(r"runbook\}#([\w-]+)", sources))
    assert pages_of_alarms
    assert (pages_of_alarms | linked) - PAGES == set()


def test_each_link_leads_to_a_page() -> None:
    assert set(re.findall(r"\]\(#([\w-]+)\)", RUNBOOK)) - PAGES == set()


def test_each_command_exists() -> None:
    named = set(re.findall(r"manage\.py (\w+)", RUNBOOK))
    assert {"validate_deployment", "requeue_open_changes", "tokens"} <= named
    assert named - set(get_commands()) == set()
    for module in re.findall(r"python -m ([\w.]+)", RUNBOOK):
        assert (ROOT / module.replace(".", "/")).with_suffix(".py").exists(), module


def test_each_alarm_page_says_when_to_wake_somebody() -> None:
    alarms = RUNBOOK.partition("\n# Alarms\n")[2].partition("\n# What comes up seldom\n")[0]
    pages = re.split(r"^## ", alarms, flags=re.MULTILINE)[1:]
    assert len(pages) > 15
    assert [page.splitlines()[0] for page in pages if "**Wake somebody**" not in page] == []


def test_each_event_in_a_search_is_logged() -> None:
    sources = "\n".join(
        path.read_text()
        for folder in ("products", "tasks", "bbws_products")
        for path in (ROOT / folder).rglob("*.py")
    )
    searched = set(re.findall(r'event = "([^"]+)"', RUNBOOK))
    assert searched
    assert [event for event in searched if f'"{event}"' not in sources] == []


def test_each_metric_with_an_alarm_is_explained() -> None:
    metrics = {metric.name for measured in METRICS.values() for metric in measured}
    explained = {
        "EffectFailures",
        "OldestOpenChange",
        "StalledJobs",
        "LoginLocks",
        "PlanLateness",
        "OverduePlan",
    }
    assert explained <= metrics
    assert [name for name in explained if f"`{name}`" not in RUNBOOK] == []
