"""Operations in a real browser: a stuck change is repaired and retried, another is discarded."""

from playwright.sync_api import Page, expect

from products.adapters.dynamodb.items import open_flag
from tests.support.browser import LiveSite, serious_accessibility_faults


def set_record_hash(site: LiveSite, product_id: str, new: str) -> str:
    """Set the hash of the accepted change, and return the old one.

    With a wrong hash no effect of the change is carried out.
    """
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
    """Alter the change as if that had happened before it was indexed; return its old hash."""
    good = set_record_hash(site, product_id, "altered")
    world = site.deployment.world
    world.dynamodb.update_item(
        TableName=world.table,
        Key={"PK": {"S": f"PRODUCT#{product_id}"}, "SK": {"S": "CHANGE#000000000001"}},
        UpdateExpression="SET #open = :open, openFlag = :flag REMOVE done.searchable",
        ExpressionAttributeNames={"#open": "open"},
        ExpressionAttributeValues={
            ":open": {"SS": ["searchable"]},
            ":flag": {"S": open_flag(product_id)},
        },
    )
    return good


def test_stuck_changes_are_retried_or_discarded(page: Page, site: LiveSite) -> None:
    for product_id in ("stuck", "spoilt"):
        site.create(product_id, name=f"The {product_id} hosting")
        site.deployment.complete(product_id)
    good, _ = reopen(site, "stuck"), reopen(site, "spoilt")
    page.goto(site.url("/admin/products/product/operations/"))
    for product_id in ("stuck", "spoilt"):
        row = page.get_by_role("row", name=f"The {product_id} hosting")
        expect(row).to_contain_text("was altered after it was accepted")
    assert serious_accessibility_faults(page) == []
    set_record_hash(site, "stuck", good)
    page.get_by_role("row", name="The stuck hosting").get_by_role("button", name="Retry").click()
    expect(page.get_by_role("row", name="The stuck hosting")).to_have_count(0)
    assert site.deployment.receipt("stuck")["effects"]["searchable"]["state"] == "done"
    page.get_by_label("Reason to discard what is stuck of spoilt v1").fill("Nobody looks for it")
    page.get_by_role("button", name="Discard").click()
    expect(
        page.get_by_text("Version 1 of spoilt will not be retried any more: In search.")
    ).to_be_visible()
    expect(page.get_by_role("row", name="The spoilt hosting")).to_have_count(0)
    assert site.deployment.receipt("spoilt")["effects"]["searchable"]["discardedBy"] == "ann"
