"""The life of a product, through the Python client of openapi-generator."""

import os
import time
from datetime import UTC, datetime, timedelta

from openapi_client import (
    ApiClient,
    Configuration,
    PatchedProductEdits,
    PlanCreation,
    PlanRowCreation,
    PlansApi,
    ProductCreation,
    ProductEdits,
    ProductsApi,
)
from openapi_client.exceptions import NotFoundException

ID = "PY-OPENAPI"
WAIT = "wait=10"
configuration = Configuration(host=os.environ["API_URL"], access_token=os.environ["API_TOKEN"])
api = ProductsApi(ApiClient(configuration))

new = ProductCreation(
    product_id=ID,
    name="Python by openapi-generator",
    description="A product of a generated client.",
    price="1500.00",
    features=["10 GB"],
)
created = api.create_product_with_http_info(new, prefer=WAIT)
assert created.status_code == 201, created.status_code
assert (created.data.price, created.data.version) == ("1500.00", 1)

first = api.get_product(ID)
edited = api.patch_product(
    ID, PatchedProductEdits(price="1600.00", version=first.version), prefer=WAIT
)
assert (edited.price, edited.version) == ("1600.00", 2)

whole = api.get_product(ID)
whole.features.append("E-mail")
put = api.update_product(ID, ProductEdits.from_dict(whole.to_dict()), prefer=WAIT)
assert put.features == ["10 GB", "E-mail"], put.features
unchanged = api.update_product_with_http_info(ID, ProductEdits.from_dict(put.to_dict()))
assert (unchanged.status_code, unchanged.data.version) == (200, 3)

page = api.list_products(ids=[ID], sort_by="name", limit=5)
assert [product.product_id for product in page.products] == [ID]
history = api.list_changes(ID)
assert [change.version for change in history.changes] == [3, 2, 1]
receipt = api.get_receipt(ID, 2)
assert (receipt.change_type, receipt.changed["price"].after) == ("UPDATE", "1600.00")
assert receipt.effects.stored.state == "done"
assert api.get_product(ID, as_of="1").price == "1500.00"
assert api.get_product(ID, as_of=first.updated_at.isoformat()).price == "1500.00"
dry_run = api.patch_product(ID, PatchedProductEdits(price="5.00"), dry_run="true")
assert (dry_run.dry_run, dry_run.changed["price"].after) == (True, "5.00")

plans = PlansApi(ApiClient(configuration))
reduced = PlanRowCreation(product_id=ID, edits=ProductEdits(price="1400.00"))
tomorrow = (datetime.now(UTC) + timedelta(days=1)).isoformat()
made = plans.create_plan_with_http_info(
    PlanCreation(name="Offer", ends_at=tomorrow, rows=[reduced])
)
assert made.status_code == 201, made.status_code
plan_id = made.data.plan_id
while plans.get_plan(plan_id).state != "running":
    time.sleep(0.05)
assert api.get_product(ID).price == "1400.00"
[row] = plans.list_plan_rows(plan_id).rows
assert row.start.state == "applied", row
plans.end_plan(plan_id)
while plans.get_plan(plan_id).state != "ended":
    time.sleep(0.05)
assert api.get_product(ID).price == "1600.00"

assert api.deactivate_product_with_http_info(ID, prefer=WAIT).status_code == 204
try:
    ProductsApi(ApiClient(Configuration(host=os.environ["API_URL"]))).get_product(ID)
except NotFoundException:
    print("complete")
