"""Operations in a real browser: a stuck change is seen, its cause mended, retried; another is given up."""

from playwright.sync_api import Page, expect

from tests.browser.test_product import serious
from tests.support.browser import LiveSite


def spoil(site: LiveSite, product_id: str, new: str) -> str:
    """Alter the accepted change in the table, so that no effect of it can come about; returns what was there."""
    world = site.deployment.world
    key = {"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": "CHANGE#000000000001"}}
    old = world.dynamodb.update_item(
        TableName=world.table,
        Key=key,
        UpdateExpression="SET recordHash = :hash",
        ExpressionAttributeValues={":hash": {"S": new}},
        ReturnValues="UPDATED_OLD",
    )
    return str(old["Attributes"]["recordHash"]["S"])


def reopen(site: LiveSite, product_id: str) -> str:
    """As if the change had been altered before it could be found by search; returns the hash it had."""
    good = spoil(site, product_id, "altered")
    world = site.deployment.world
    world.dynamodb.update_item(
        TableName=world.table,
        Key={"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": "CHANGE#000000000001"}},
        UpdateExpression="SET #open = :open, openFlag = :flag REMOVE done.searchable",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={":open": {"SS": ["searchable"]}, ":flag": {"S": "OPEN"}},
    )
    return good


def test_stuck_changes_are_seen_mended_and_retried_or_given_up(page: Page, site: LiveSite) -> None:
    for product_id in ("stuck", "spoilt"):
        site.create(product_id, name=f"The {product_id} hosting")
        site.deployment.complete(product_id)
    good, _ = reopen(site, "stuck"), reopen(site, "spoilt")
    page.goto(site.url("/admin/products/product/operations/"))
    for product_id in ("stuck", "spoilt"):
        row = page.get_by_role("row", name=f"The {product_id} hosting")
        expect(row).to_contain_text("was altered after it was accepted", timeout=20_000)
    assert serious(page) == []
    spoil(site, "stuck", good)
    page.get_by_role("row", name="The stuck hosting").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("row", name="The stuck hosting")).to_have_count(0, timeout=20_000)
    assert site.deployment.receipt("stuck")["effects"]["searchable"]["state"] == "done"
    page.get_by_label("Why spoilt v1 need not be searchable").fill("Nobody looks for it")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_text("spoilt v1 will not be searchable any more.")).to_be_visible()
    expect(page.get_by_role("row", name="The spoilt hosting")).to_have_count(0)
    assert site.deployment.receipt("spoilt")["effects"]["searchable"]["discardedBy"] == "ann"
