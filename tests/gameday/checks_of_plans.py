"""The check that compares campaigns with the change log."""

from collections.abc import Iterator
from decimal import Decimal

from tests.gameday.case import Case, Verdict, label
from tests.gameday.evidence import Item
from tests.gameday.ledger import Campaign

PROMISE = "Plans switch their products once, on time, and take back what they set"


def offers_switch_once(case: Case) -> Verdict:
    """Check the steps of each campaign, and the price after each change of its products."""
    wrong: list[str] = []
    products = {one for campaign in case.campaigns for one in campaign.product_ids}
    for campaign in case.campaigns:
        wrong += _step_errors(case, campaign)
    for product_id in sorted(products):
        wrong += _price_errors(case, case.evidence.changes.get(product_id, []))
    return Verdict(PROMISE, len(products), wrong)


def _step_errors(case: Case, campaign: Campaign) -> Iterator[str]:
    plan = case.evidence.plans.get(campaign.plan_id)
    if plan is None or plan["state"] not in ("ended", "missed"):
        yield f"plan {campaign.plan_id} is {plan['state'] if plan else 'missing'}"
        return
    for product_id in campaign.product_ids:
        changes = case.evidence.changes.get(product_id, [])
        for step, due in (("start", campaign.starts_at), ("end", campaign.ends_at)):
            made = [c for c in changes if c["requestId"] == f"{campaign.plan_id}-{step}"]
            if len(made) > 1:
                yield f"{product_id}: the {step} was made {len(made)} times"
            if step == "start" and not made and plan["state"] == "ended":
                yield f"{product_id}: the start was not made"
            if not case.has_wrong_clocks:
                yield from (f"{label(c)}: too early" for c in made if c["acceptedAt"] < due[:-1])


def _price_errors(case: Case, changes: list[Item]) -> Iterator[str]:
    """Follow the price of a product: the plan that started last sets it, an edit ends all."""
    order = {
        campaign.plan_id: (campaign.starts_at, campaign.plan_id) for campaign in case.campaigns
    }
    prices = {campaign.plan_id: Decimal(campaign.price) for campaign in case.campaigns}
    base, running = Decimal(0), list[str]()
    for change in changes:
        plan_id, _, step = change["requestId"].rpartition("-")
        if plan_id not in order:
            if not change["before"] or change["before"]["price"] != change["after"]["price"]:
                base, running = Decimal(change["after"]["price"]), []
            continue
        running = [one for one in running if one != plan_id]
        if step == "start":
            running = sorted([*running, plan_id], key=order.__getitem__)
        expected = prices[running[-1]] if running else base
        if Decimal(change["after"]["price"]) != expected:
            yield f"{label(change)}: the price is not {expected}"
    if changes and running:
        still = [one for one in running if case.evidence.plans[one]["state"] != "ended"]
        yield from (f"{label(changes[-1])}: {one} was not taken back" for one in still)
    if changes and Decimal(changes[-1]["after"]["price"]) != base:
        yield f"{label(changes[-1])}: the last price is not {base}"
