"""Clients of the API: they write, wait, retry with the same key and read their own writes."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.gameday.decisions import Decision, new_product
from tests.gameday.http_client import UNEXPECTED, HttpClient, Response, item_result, result_of
from tests.gameday.ledger import ClientResult, Outcome, Read, Write, now_text

MAX_ATTEMPTS = 5
SHOWN = ("name", "description", "price", "renewalPrice", "features", "active")


@dataclass
class Reader:
    """A staff client that reads products. ``last_seen`` holds the last read of each product."""

    http: HttpClient
    number: int
    last_seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.http.name

    def read(self, product_id: str, min_version: int = 0) -> dict[str, Any] | None:
        """Read a product as staff. Return None when it does not exist or nothing was answered."""
        response = self.http.call("GET", f"/v1.0/products/{product_id}")
        if response is None or response.status not in (200, 404):
            return None
        body = response.json if response.status == 200 else {}
        if body or min_version:
            self._record_read("product", product_id, min_version, body)
        if body:
            self.last_seen[product_id] = body
        return body or None

    def read_back(self, where: str, product_id: str, version: int) -> None:
        """Read the version that was just accepted, in the product, its receipt or the list."""
        if where == "product":
            self.read(product_id, version)
        elif where == "list":
            self._read_in_list(product_id, version)
        elif where == "receipt":
            response = self.http.call("GET", f"/v1.0/products/{product_id}/changes/{version}")
            if response and response.status in (200, 404):
                self._record_read("receipt", product_id, version, response.json.get("after", {}))

    def _read_in_list(self, product_id: str, version: int) -> None:
        start = ""
        while response := self.http.call("GET", f"/v1.0/products?active=all&limit=100{start}"):
            if response.status != 200:
                return
            found = [
                product
                for product in response.json["products"]
                if product["productId"] == product_id
            ]
            if found or not response.json["nextStartAt"]:
                self._record_read("list", product_id, version, found[0] if found else {})
                return
            start = f"&startAt={response.json['nextStartAt']}"

    def _record_read(
        self, where: str, product_id: str, min_version: int, body: dict[str, Any]
    ) -> None:
        shown = {name: body[name] for name in SHOWN} if body else {}
        version = int(body.get("version", 0))
        entry = Read(
            client=self.name,
            where=where,
            product_id=product_id,
            min_version=min_version,
            version=version,
            shown=shown,
        )
        self.http.ledger.record(entry)


class ApiClient(Reader):
    def perform(self, decision: Decision) -> None:
        kind = decision.kind
        if kind.startswith("batch"):
            self._batch(decision)
        elif kind == "restore":
            self._restore(decision)
        elif kind in ("patch", "put"):
            self._edit(decision)
        else:
            self._create_or_switch(decision)

    def _create_or_switch(self, decision: Decision) -> None:
        """Create, deactivate or activate a product."""
        product_id, path = decision.products[0], f"/v1.0/products/{decision.products[0]}"
        if decision.kind == "create":
            edits = new_product(self.number, decision.number * 10)
            write = self._write(decision, product_id, edits, creates=True)
            self._send(
                decision, write, "POST", "/v1.0/products", {"productId": product_id, **edits}
            )
        elif decision.kind == "delete":
            self._send(
                decision, self._write(decision, product_id, {"active": False}), "DELETE", path, None
            )
        else:
            self._send(
                decision,
                self._write(decision, product_id, {"active": True}),
                "PATCH",
                path,
                {"active": True},
            )

    def _edit(self, decision: Decision) -> None:
        """PATCH some fields, or PUT the last read product with some fields changed."""
        product_id, edits = decision.products[0], decision.edits[0]
        whole = decision.kind == "put"
        start = "base" if whole else decision.start
        on_screen = None if decision.is_fresh else self.last_seen.get(product_id)
        known = None if start == "newest" else on_screen or self.read(product_id)
        version = known["version"] if known else None
        body = {**(known if whole and known else {}), **edits}
        headers, options = {}, {}
        if version and start == "base":
            body["version"], options["base"] = version, version
        elif version and start == "if-match":
            headers["If_Match"], options["expected_version"] = f'"v{version}"', version
        write = self._write(decision, product_id, edits, **options)
        self._send(
            decision,
            write,
            "PUT" if whole else "PATCH",
            f"/v1.0/products/{product_id}",
            body,
            **headers,
        )

    def _restore(self, decision: Decision) -> None:
        product_id = decision.products[0]
        known = self.read(product_id)
        if not known:
            return
        version = max(1, known["version"] - decision.versions_back)
        write = self._write(decision, product_id, {}, restores=version)
        self._send(
            decision, write, "POST", f"/v1.0/products/{product_id}/changes/{version}/restore", None
        )

    def _batch(self, decision: Decision) -> None:
        mode = decision.kind.removeprefix("batch ")
        batch_id = f"{self._write_id(decision)}" if mode == "all" else ""
        writes = [
            self._write(decision, product_id, edits, batch_id=batch_id)
            for product_id, edits in zip(decision.products, decision.edits, strict=False)
        ]
        items = [
            {"action": "update", "productId": write.product_id, "product": write.edits}
            for write in writes
        ]
        for attempt in self._attempts(decision.has_key):
            request_id = f"{self._write_id(decision)}.{attempt}"
            response = self._send_request(
                decision, request_id, "POST", "/v1.0/products:batch", {"mode": mode, "items": items}
            )
            results = self._batch_results(response, request_id, len(writes))
            for write, one in zip(writes, results, strict=True):
                write.results.append(one)
            if not self._should_retry(decision, results):
                break
        for write in writes:
            self.http.ledger.record(write)

    def _batch_results(
        self, response: Response | None, request_id: str, count: int
    ) -> list[ClientResult]:
        if response is not None and response.status < 500 and "results" in response.json:
            return [item_result(item, request_id) for item in response.json["results"]]
        return [result_of(response, request_id)] * count

    def _send(
        self, decision: Decision, write: Write, method: str, path: str, body: Any, **headers: str
    ) -> None:
        """Once, or under a key until there is a definite answer; then look at what was results."""
        for attempt in self._attempts(write.has_key):
            request_id = f"{write.write_id}.{attempt}"
            results = result_of(
                self._send_request(decision, request_id, method, path, body, **headers), request_id
            )
            write.results.append(results)
            if not self._should_retry(decision, [results]):
                break
        self.http.ledger.record(write)
        final = write.final
        if final and final.outcome is Outcome.ACCEPTED and final.version:
            self.read_back(decision.read_back, write.product_id, final.version)

    def _should_retry(self, decision: Decision, results: list[ClientResult]) -> bool:
        """Return whether to send the request again: its outcome is unknown and it has a key."""
        unknown = any(one.outcome is Outcome.UNKNOWN for one in results)
        if unknown:
            self.http.recover()
        return unknown and decision.has_key and not self.http.stopping.is_set()

    def _send_request(
        self, decision: Decision, request_id: str, method: str, path: str, body: Any, **headers: str
    ) -> Response | None:
        if decision.has_key:
            headers["Idempotency_Key"] = self._write_id(decision)
        if decision.wait:
            headers["Prefer"] = f"wait=8, until={decision.wait}"
        response = self.http.call(method, path, body, X_Request_ID=request_id, **headers)
        if response and response.status in UNEXPECTED:
            self.http.ledger.record_error(
                f"{method} {path} was answered {response.status}: {response.text[:300]}"
            )
        return response

    def _attempts(self, has_key: bool) -> "itertools.islice[int]":
        return itertools.islice(itertools.count(1), MAX_ATTEMPTS if has_key else 1)

    def _write_id(self, decision: Decision) -> str:
        return f"gd-{self.name}-{decision.number:06d}"

    def _write(
        self, decision: Decision, product_id: str, edits: dict[str, Any], **options: Any
    ) -> Write:
        return Write(
            write_id=self._write_id(decision),
            client=self.name,
            kind=decision.kind,
            product_id=product_id,
            edits=edits,
            has_key=decision.has_key,
            sent_at=now_text(),
            **options,
        )
