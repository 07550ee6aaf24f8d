"""The life of a product, through the client of openapi-python-client."""

import io
import os
from http import HTTPStatus
from typing import Any

from bbws_product_catalogue_client.api.jobs import plan_import
from bbws_product_catalogue_client.api.products import (
    create_product,
    deactivate_product,
    get_product,
    get_receipt,
    list_changes,
    list_products,
    patch_product,
    update_product,
)
from bbws_product_catalogue_client.client import AuthenticatedClient, Client
from bbws_product_catalogue_client.models import (
    Change,
    ChangePage,
    Job,
    PatchedProductEdits,
    Product,
    ProductCreation,
    ProductEdits,
    ProductPage,
    SavedProduct,
)
from bbws_product_catalogue_client.types import File

ID = "PY-CLIENT"
WAIT = "wait=10"
staff = AuthenticatedClient(base_url=os.environ["API_URL"], token=os.environ["API_TOKEN"])


def read(as_of: str | None = None) -> Product:
    found = get_product.sync(ID, client=staff, **({"as_of": as_of} if as_of else {}))
    assert isinstance(found, Product), found
    return found


new = ProductCreation(
    product_id=ID,
    name="Python by openapi-python-client",
    description="A product of a generated client.",
    price="1500.00",
    features=["10 GB"],
)
created = create_product.sync(client=staff, body=new, prefer=WAIT)
assert isinstance(created, Product), created
assert (created.price, created.version) == ("1500.00", 1)

first = read()
edits = PatchedProductEdits(price="1600.00", version=first.version)
edited = patch_product.sync(ID, client=staff, body=edits, prefer=WAIT)
assert isinstance(edited, SavedProduct), edited
assert (edited.price, edited.version) == ("1600.00", 2)

whole = read()
whole.features.append("E-mail")
sent_back = ProductEdits.from_dict(whole.to_dict())
put = update_product.sync(ID, client=staff, body=sent_back, prefer=WAIT)
assert isinstance(put, SavedProduct), put
assert put.features == ["10 GB", "E-mail"]
again = ProductEdits.from_dict(read().to_dict())
unchanged = update_product.sync_detailed(ID, client=staff, body=again)
assert unchanged.status_code == HTTPStatus.OK, unchanged

page = list_products.sync(client=staff, ids=[ID], limit=5)
assert isinstance(page, ProductPage), page
assert [product.product_id for product in page.products] == [ID]
history = list_changes.sync(ID, client=staff)
assert isinstance(history, ChangePage), history
assert [change.version for change in history.changes] == [3, 2, 1]
receipt = get_receipt.sync(ID, 2, client=staff)
assert isinstance(receipt, Change), receipt
assert receipt.changed["price"].after == "1600.00"
assert read("1").price == "1500.00"
assert read(first.updated_at.isoformat()).price == "1500.00"

sheet = b"productId,price\nPY-CLIENT,1700.00\n"
job = plan_import.sync(client=staff, body=File(io.BytesIO(sheet)), file_name="prices.csv")
assert isinstance(job, Job), job

gone = deactivate_product.sync_detailed(ID, client=staff, prefer=WAIT)
assert gone.status_code == HTTPStatus.NO_CONTENT, gone
public: Any = Client(base_url=os.environ["API_URL"])
assert get_product.sync_detailed(ID, client=public).status_code == HTTPStatus.NOT_FOUND
print("complete")
