"""The exports of other shops: what their columns are, and which rows are parts of a product. Pure.

The names of columns are normalised: see ``normalised_header``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from products.bulk.columns import normalised_header


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """The format of a shop's export.

    It is recognised by the columns in ``signature``. ``fields`` are its columns with names of
    their own; "" means that the column is not imported. ``group`` is the column with the same
    value in all variants of a product, and ``options`` are the columns in which variants differ.
    ``kind`` is a column that says what a row is: in ``left_out`` are rows that are no product to
    buy, by that column's values, with their names for people. Rows with a text in ``only_blank``
    are left out too. ``parent`` refers from a variant to the SKU or ID of its product.
    """

    name: str
    signature: frozenset[str]
    fields: Mapping[str, str] = field(default_factory=dict)
    group: str = ""
    options: tuple[str, ...] = ()
    kind: str = ""
    left_out: Mapping[str, str] = field(default_factory=dict)
    only_blank: str = ""
    parent: str = ""


def _signature(names: str) -> frozenset[str]:
    return frozenset(names.split())


SHOPS = (
    Shop(
        name="Shopify",
        signature=_signature("handle title variantprice"),
        fields={"handle": "", "type": "", "tags": "features"},
        group="handle",
        options=("option1value", "option2value", "option3value"),
    ),
    Shop(
        name="Shopify",
        signature=_signature("title urlhandle"),
        fields={"urlhandle": "", "type": "", "tags": "features"},
        group="urlhandle",
        options=("option1value", "option2value", "option3value"),
    ),
    Shop(
        name="WooCommerce",
        signature=_signature("sku name type regularprice"),
        fields={"id": "", "saleprice": "", "tags": "features"},
        options=tuple(f"attribute{number}values" for number in range(1, 6)),
        kind="type",
        left_out={
            "variable": "products that only hold variations",
            "grouped": "grouped products",
            "external": "products of other shops",
        },
        parent="parent",
    ),
    Shop(
        name="Magento",
        signature=_signature("sku attributesetcode producttype"),
        fields={"producttype": "", "productonline": "active", "specialprice": ""},
        kind="producttype",
        left_out={
            "configurable": "products that only hold variants",
            "grouped": "grouped products",
            "bundle": "bundles",
        },
        only_blank="storeviewcode",
    ),
    Shop(
        name="PrestaShop",
        signature=_signature("productid name reference"),
        fields={"productid": "", "tags": "features", "onsale01": "", "wholesaleprice": ""},
    ),
    Shop(
        name="Medusa",
        signature=_signature("producttitle variantsku"),
        fields={"productid": "", "variantid": "", "varianttitle": "", "producttags": "features"},
        group="producthandle",
        options=tuple(f"variantoption{number}value" for number in range(1, 4)),
    ),
    Shop(
        name="Saleor",
        signature=_signature("name variantsku"),
        fields={"id": "", "variantid": "", "producttype": ""},
        group="id",
    ),
    Shop(
        name="WHMCS",
        signature=_signature("productgroup paytype"),
        fields={"id": "", "monthly": "price", "hidden": ""},
    ),
    Shop(
        name="WHMCS",
        signature=_signature("productgroup paymenttype"),
        fields={"id": "", "monthly": "price", "hidden": ""},
    ),
    Shop(  # the columns of its table, which are also those of its API
        name="WHMCS",
        signature=_signature("gid name paytype"),
        fields={"id": "", "pid": "", "gid": "", "type": "", "monthly": "price", "hidden": ""},
    ),
)
"""The formats; the first that fits is meant."""


NO_SHOP = Shop(name="", signature=frozenset())
"""What a file without a known format comes from: each row is a product."""


def shop_of(header: Sequence[str]) -> Shop:
    """Return the shop whose export has these columns, or NO_SHOP."""
    names = set(map(normalised_header, header))
    return next((shop for shop in SHOPS if shop.signature <= names), NO_SHOP)


def is_image_column(name: str) -> bool:
    """Return whether the column holds images by the usual names."""
    normalised = normalised_header(name)
    is_about_images = any(word in normalised for word in ("image", "thumbnail", "photo", "picture"))
    is_text = normalised.endswith(("alttext", "position", "label", "labels"))
    return is_about_images and not is_text


def columns_named(header: Iterable[str], names: Sequence[str]) -> list[int]:
    """Return the numbers of the columns with these names, in the order of the names."""
    numbers = {normalised_header(name): number for number, name in enumerate(header)}
    wanted = map(normalised_header, names)
    return [numbers[name] for name in wanted if name in numbers]
