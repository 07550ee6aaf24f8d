"""A map with several calls at a time: in order, bounded, and ended by the first error."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from products.parallel import bounded_map


def test_results_are_in_order_and_items_are_read_late() -> None:
    read: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            read.append(number)
            yield number

    with ThreadPoolExecutor(8) as threads:
        results = bounded_map(threads, 3, lambda number: number * 2, items())
        assert next(results) == 0
        assert len(read) == 3
        assert list(results) == [number * 2 for number in range(1, 100)]


def test_calls_run_at_the_same_time() -> None:
    together = Barrier(3, timeout=30)
    with ThreadPoolExecutor(3) as threads:
        ranks = list(bounded_map(threads, 3, lambda _: together.wait(), range(3)))
    assert sorted(ranks) == [0, 1, 2]


def test_an_error_is_raised_and_ends_the_map() -> None:
    begun: list[int] = []

    def fail_at_two(number: int) -> int:
        begun.append(number)
        return 1 // (number - 2)

    with ThreadPoolExecutor(1) as threads:
        results = bounded_map(threads, 2, fail_at_two, range(100))
        assert [next(results), next(results)] == [-1, -1]
        with pytest.raises(ZeroDivisionError):
            next(results)
    assert len(begun) <= 5
