"""Names for the constants of enums, where two enums have the same value.

Go has one scope for all constants of a package, so a generated client has each name once. Clients
take a value's own name as its constant, unless the extension ``x-enum-varnames`` has another.
"""

import re
from collections import Counter
from collections.abc import Mapping

from products.api.json_schema import Schema

WITH_OWN_NAMES = "CurrencyEnum"
"""ISO codes stay constants as they are; another enum with such a value takes another name."""


def with_enum_names(components: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the components, whose enums have names for values that another enum has too."""
    enums = {name: schema["enum"] for name, schema in components.items() if "enum" in schema}
    uses = Counter(_constant(value) for values in enums.values() for value in values)
    named = {
        name: components[name] | {"x-enum-varnames": _names(name, values, uses)}
        for name, values in enums.items()
        if name != WITH_OWN_NAMES and any(uses[_constant(value)] > 1 for value in values)
    }
    return {**components, **named}


def _names(enum: str, values: list[str], uses: Mapping[str, int]) -> list[str]:
    """Return a name for each value: CREATE_ACTION where another enum has CREATE too."""
    words = re.findall("[A-Z][a-z]+", enum.removesuffix("Enum"))
    ending = "_" + "_".join(words).upper()
    constants = map(_constant, values)
    return [constant + (ending if uses[constant] > 1 else "") for constant in constants]


def _constant(value: str) -> str:
    return re.sub("[^A-Z0-9]", "_", value.upper())
