"""The same as in English: numbers follow the profile, and only the months have other names."""

from bbws_products.formats.en.formats import *  # noqa: F403 # all of them

DECIMAL_SEPARATOR = "."
THOUSAND_SEPARATOR = ","
