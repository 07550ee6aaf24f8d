"""Columns of a file: which field each one is, by its name. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from products.bulk.csv_files import COLUMNS, EXPORTED
from products.currency import CURRENCIES
from products.errors import Invalid
from products.unicode_text import normalized

FIELDS = (*COLUMNS, "version")
"""The fields that a column of an import can be."""
KEY_FIELDS = {"productId", "name"}
"""The fields that say which product a row is about."""
PRICE_FIELDS = ("price", "renewalPrice")


_NAMES = {
    "productId": (
        "sku productsku variantsku itemsku skucode productcode itemcode itemnumber "
        "articlenumber articleno artikelnummer artikelnr stockcode partnumber reference "
        "productreference productid product_id id"
    ),
    "name": (
        "name productname producttitle title itemname producttitel productnaam naam "
        "bezeichnung artikelname produktname nom nombre nome product"
    ),
    "description": (
        "description productdescription bodyhtml body longdescription fulldescription desc "
        "beskrywing beschreibung omschrijving descripcion descricao details "
        "shortdescription summary"
    ),
    "price": (
        "price variantprice regularprice productprice unitprice sellingprice retailprice "
        "listprice baseprice amount prys preis prijs prix precio preco prezzo "
        "pricetaxexcluded pricetaxexcludedorpricetaxincluded pricetaxincluded priceamount"
    ),
    "renewalPrice": (
        "renewalprice renewal renewalfee recurringprice recurringamount recurringfee "
        "hernuwingsprys verlengingsprijs"
    ),
    "currency": (
        "currency currencycode currencyiso pricecurrency geldeenheid waehrung wahrung valuta "
        "devise moneda moeda channelcurrencycode variantcurrencycode productcurrencycode"
    ),
    "billingCycle": (
        "billingcycle cycle billingperiod billinginterval billingterm paymentcycle paymentterm "
        "paymenttype paytype interval recurrence frequency renewalcycle"
    ),
    "period": "period periodtext",
    "features": "features feature tags producttags keyfeatures bulletpoints highlights kenmerke",
    "active": (
        "active isactive active01 status productstatus published publishedononlinestore "
        "isenabled enabled productonline statusenabled online aktief aktiv actif activo"
    ),
    "version": "version",
}
"""The names of each field's column, the best first; see ``normalised_header``."""
_RANKS = {
    name: (field, rank)
    for field, names in _NAMES.items()
    for rank, name in enumerate(names.split())
}
_WORDS = re.compile(r"[^\W_]+")
_LANGUAGE = re.compile(r"\([a-z]{2}([-_][a-z]{2})?\)|[-_][a-z]{2}_[a-z]{2}$", re.IGNORECASE)
TAG_COLUMNS = {"tags", "producttags"}
"""Columns with texts between commas."""
CHANNEL_COLUMNS = (
    "priceamount",
    "channelcurrencycode",
    "variantcurrencycode",
    "productcurrencycode",
)
"""Ends of the names of columns that exist once for each sales channel."""
_TAX_WORDS = {"excl", "incl", "ex", "inc", "vat", "btw", "mwst", "net", "gross"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its number from 0, its name, its field ("" if ignored), the currency it names."""

    number: int
    name: str
    field: str
    currency: str | None = None

    @property
    def is_of_tags(self) -> bool:
        return normalised_header(self.name) in TAG_COLUMNS

    @property
    def place(self) -> str:
        """The column's number from 1, with its name."""
        return f"column {self.number + 1} {self.label}" if self.name else self.label

    @property
    def label(self) -> str:
        """The column's name, or its number from 1 if it has none."""
        return f"“{self.name}”" if self.name else f"column {self.number + 1}"


def is_own_export(header: Sequence[str]) -> bool:
    """Return whether the columns are those of our own export, or some of them."""
    return set(header) <= set(EXPORTED) | {"error"} and "version" in header


def normalised_header(name: str) -> str:
    """Return the letters and digits of a column's name, without accents and language codes."""
    folded = normalized("NFKD", _LANGUAGE.sub("", name)).casefold()
    return "".join(character for character in folded if character.isalnum())


def known_field(name: str) -> tuple[str, int] | None:
    """Return the field that a column's name means, and its rank; the lowest is the best."""
    if name in COLUMNS:
        return name, -1  # exactly as we export it
    normalised = normalised_header(name)
    of_channel = next((end for end in CHANNEL_COLUMNS if normalised.endswith(end)), normalised)
    return _RANKS.get(of_channel) or _RANKS.get(normalised_header(_plain_price_name(name)[0]))


def _plain_price_name(name: str) -> tuple[str, str | None]:
    """Return the name without words for taxes and without a currency, and the currency."""
    kept: list[str] = []
    currency = None
    for word in _WORDS.findall(name):
        if word.upper() in CURRENCIES and (word.isupper() or word.islower()):
            currency = word.upper()
        elif word.casefold() not in _TAX_WORDS:
            kept.append(word)
    return " ".join(kept), currency


def recognised_columns(header: Sequence[str]) -> int:
    """Return how many fields the names mean, or 0 if no column names the product."""
    fields = {known[0] for known in map(known_field, header) if known}
    return len(fields) if fields & KEY_FIELDS else 0


def guess_mapping(
    header: Sequence[str], *, known: Mapping[str, str] | None = None, currency: str | None = None
) -> list[Column]:
    """Return the columns, each with its likely field. Each field is named once at most.

    ``known`` has the fields of names in a shop's format. Of several price columns, the one in
    ``currency`` is chosen.
    """
    ranked: list[tuple[int, int, str]] = []
    for number, name in enumerate(header):
        found = _ranked_field(name, known or {})
        if found:
            field, rank = found
            other_currency = currency is not None and _column_currency(name, field) != currency
            ranked.append((rank * 2 + other_currency, number, field))
    chosen: dict[str, int] = {}
    for _, number, field in sorted(ranked):
        chosen.setdefault(field, number)
    field_of = {number: field for field, number in chosen.items()}
    return [_column(number, name, field_of.get(number, "")) for number, name in enumerate(header)]


def _ranked_field(name: str, known: Mapping[str, str]) -> tuple[str, int] | None:
    normalised = normalised_header(name)
    if normalised in known:
        field = known[normalised]
        return (field, -2) if field else None
    return known_field(name)


def _column_currency(name: str, field: str) -> str | None:
    return _plain_price_name(name)[1] if field in PRICE_FIELDS else None


def _column(number: int, name: str, field: str) -> Column:
    return Column(number, name, field, _column_currency(name, field))


def chosen_mapping(guessed: Iterable[Column], chosen: Mapping[int, str]) -> list[Column]:
    """Return the columns with the fields that the user chose by number, else as guessed.

    Raise Invalid when a field is unknown or has two columns, or when no column says which product
    a row is about.
    """
    columns = [
        _column(column.number, column.name, chosen.get(column.number, column.field))
        for column in guessed
    ]
    fields = [column.field for column in columns if column.field]
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise Invalid({"file": [f"There is no field {unknown[0]!r}."]})
    doubled = [field for field in FIELDS if fields.count(field) > 1]
    if doubled:
        raise Invalid({"file": [f"Each field may be one column only; {doubled[0]} is several."]})
    if not KEY_FIELDS & set(fields):
        names = ", ".join(column.name for column in columns[:8])
        sentence = "One column must be the product's ID or its name."
        raise Invalid({"file": [f"{sentence} The columns are: {names}."]})
    return columns


def mapping_notes(columns: Sequence[Column]) -> list[str]:
    """Return sentences about the columns that are not imported."""
    used = {column.field: column for column in columns if column.field}
    notes: list[str] = []
    ignored: list[str] = []
    for column in columns:
        known = known_field(column.name)
        if column.field or column.name in EXPORTED:
            continue
        if known and known[0] in used:
            other = used[known[0]]
            notes.append(f"Ignored {column.place}: {known[0]} is {other.place}.")
        else:
            ignored.append(column.label)
    if ignored:
        notes.append(f"Ignored columns: {', '.join(ignored)}.")
    return notes
