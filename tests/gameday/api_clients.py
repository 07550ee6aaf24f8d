"""Clients of the API: they write, wait, retry under the same key, and read what they were told."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from tests.gameday.calls import UNEXPECTED, Answer, Caller, told_of, told_of_item
from tests.gameday.decisions import Decision, new_product
from tests.gameday.ledger import Outcome, Read, Told, Write, now_text

MAX_ATTEMPTS = 5
SHOWN = ("name", "description", "price", "renewalPrice", "features", "active")


@dataclass
class Reader:
    """A member of staff who reads products: ``seen`` is the last one of each."""

    caller: Caller
    number: int
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.caller.name

    def read(self, product_id: str, at_least: int = 0) -> dict[str, Any] | None:
        """The product as staff see it now; None when there is none, or no answer."""
        answer = self.caller.call("GET", f"/v1.0/products/{product_id}")
        if answer is None or answer.status not in (200, 404):
            return None
        body = answer.json if answer.status == 200 else {}
        if body or at_least:
            self._note("product", product_id, at_least, body)
        if body:
            self.seen[product_id] = body
        return body or None

    def look(self, where: str, product_id: str, version: int) -> None:
        """Read what was just told, where a client would."""
        if where == "product":
            self.read(product_id, version)
        elif where == "list":
            self._look_into_the_list(product_id, version)
        elif where == "receipt":
            answer = self.caller.call("GET", f"/v1.0/products/{product_id}/changes/{version}")
            if answer and answer.status in (200, 404):
                self._note("receipt", product_id, version, answer.json.get("after", {}))

    def _look_into_the_list(self, product_id: str, version: int) -> None:
        start = ""
        while answer := self.caller.call("GET", f"/v1.0/products?active=all&limit=100{start}"):
            if answer.status != 200:
                return
            found = [
                product for product in answer.json["products"] if product["productId"] == product_id
            ]
            if found or not answer.json["nextStartAt"]:
                self._note("list", product_id, version, found[0] if found else {})
                return
            start = f"&startAt={answer.json['nextStartAt']}"

    def _note(self, where: str, product_id: str, at_least: int, body: dict[str, Any]) -> None:
        shown = {name: body[name] for name in SHOWN} if body else {}
        version = int(body.get("version", 0))
        entry = Read(
            client=self.name,
            where=where,
            product_id=product_id,
            at_least=at_least,
            version=version,
            shown=shown,
        )
        self.caller.ledger.note(entry)


class ApiClient(Reader):
    def do(self, decision: Decision) -> None:
        kind = decision.kind
        if kind.startswith("batch"):
            self._batch(decision)
        elif kind == "restore":
            self._restore(decision)
        elif kind in ("patch", "put"):
            self._edit(decision)
        else:
            self._simple(decision)

    def _simple(self, decision: Decision) -> None:
        """Create, take out of the catalogue, bring back."""
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
        """PATCH some fields, or PUT the whole product back as it was last seen, with some fields changed."""
        product_id, edits = decision.products[0], decision.edits[0]
        whole = decision.kind == "put"
        start = "base" if whole else decision.start
        on_screen = None if decision.fresh else self.seen.get(product_id)
        known = None if start == "newest" else on_screen or self.read(product_id)
        version = known["version"] if known else None
        body = {**(known if whole and known else {}), **edits}
        headers, terms = {}, {}
        if version and start == "base":
            body["version"], terms["base"] = version, version
        elif version and start == "if-match":
            headers["If_Match"], terms["expected_version"] = f'"v{version}"', version
        write = self._write(decision, product_id, edits, **terms)
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
        version = max(1, known["version"] - decision.back)
        write = self._write(decision, product_id, {}, back_to=version)
        self._send(
            decision, write, "POST", f"/v1.0/products/{product_id}/changes/{version}/restore", None
        )

    def _batch(self, decision: Decision) -> None:
        mode = decision.kind.removeprefix("batch ")
        together = f"{self._write_id(decision)}" if mode == "all" else ""
        writes = [
            self._write(decision, product_id, edits, together=together)
            for product_id, edits in zip(decision.products, decision.edits, strict=False)
        ]
        items = [
            {"action": "update", "productId": write.product_id, "product": write.edits}
            for write in writes
        ]
        for attempt in self._attempts(decision.once):
            request_id = f"{self._write_id(decision)}.{attempt}"
            answer = self._asked(
                decision, request_id, "POST", "/v1.0/products:batch", {"mode": mode, "items": items}
            )
            told = self._batch_told(answer, request_id, len(writes))
            for write, one in zip(writes, told, strict=True):
                write.told.append(one)
            if not self._again(decision, told):
                break
        for write in writes:
            self.caller.ledger.note(write)

    def _batch_told(self, answer: Answer | None, request_id: str, count: int) -> list[Told]:
        if answer is not None and answer.status < 500 and "results" in answer.json:
            return [told_of_item(item, request_id) for item in answer.json["results"]]
        return [told_of(answer, request_id)] * count

    def _send(
        self, decision: Decision, write: Write, method: str, path: str, body: Any, **headers: str
    ) -> None:
        """Once, or under a key until there is a definite answer; then look at what was told."""
        for attempt in self._attempts(write.once):
            request_id = f"{write.write_id}.{attempt}"
            told = told_of(
                self._asked(decision, request_id, method, path, body, **headers), request_id
            )
            write.told.append(told)
            if not self._again(decision, [told]):
                break
        self.caller.ledger.note(write)
        final = write.final
        if final and final.outcome is Outcome.ACCEPTED and final.version:
            self.look(decision.look, write.product_id, final.version)

    def _again(self, decision: Decision, told: list[Told]) -> bool:
        """Whether to send the same once more: only under a key may one, and only after no definite answer."""
        unknown = any(one.outcome is Outcome.UNKNOWN for one in told)
        if unknown:
            self.caller.recover()
        return unknown and decision.once and not self.caller.stopping.is_set()

    def _asked(
        self, decision: Decision, request_id: str, method: str, path: str, body: Any, **headers: str
    ) -> Answer | None:
        if decision.once:
            headers["Idempotency_Key"] = self._write_id(decision)
        if decision.wait:
            headers["Prefer"] = f"wait=8, until={decision.wait}"
        answer = self.caller.call(method, path, body, X_Request_ID=request_id, **headers)
        if answer and answer.status in UNEXPECTED:
            self.caller.ledger.complain(
                f"{method} {path} was answered {answer.status}: {answer.text[:300]}"
            )
        return answer

    def _attempts(self, once: bool) -> "itertools.islice[int]":
        return itertools.islice(itertools.count(1), MAX_ATTEMPTS if once else 1)

    def _write_id(self, decision: Decision) -> str:
        return f"gd-{self.name}-{decision.number:06d}"

    def _write(
        self, decision: Decision, product_id: str, edits: dict[str, Any], **terms: Any
    ) -> Write:
        return Write(
            write_id=self._write_id(decision),
            client=self.name,
            kind=decision.kind,
            product_id=product_id,
            edits=edits,
            once=decision.once,
            began=now_text(),
            **terms,
        )
