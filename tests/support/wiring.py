"""The product's wiring, built once a process; a test with other settings builds it again."""

from products import bootstrap, maintenance
from products.api import health


def forget_wiring() -> None:
    """Drop everything that the wiring has built."""
    for made in (*vars(bootstrap).values(), *vars(maintenance).values()):
        if hasattr(made, "cache_clear"):
            made.cache_clear()
    health.READINESS.forget()
