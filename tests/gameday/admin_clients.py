"""Staff in the admin: they sign in as people do, fill in the form, edit cells, take versions back, run bulk edits."""

import re
from html.parser import HTMLParser
from typing import Any

from tests.gameday.api_clients import Reader
from tests.gameday.calls import Answer, Caller
from tests.gameday.decisions import Decision
from tests.gameday.ledger import Bulk, Outcome, Told, Write

LIST = "/admin/products/product/"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
NAMES = {"renewalPrice": "renewal_price", "features": "features"}
KEPT = {
    *(
        "name",
        "description",
        "price",
        "renewal_price",
        "currency",
        "billing_cycle",
        "period",
        "features",
    ),
    *("base_version", "csrfmiddlewaretoken", "reason"),
}


class FormReader(HTMLParser):
    """What a browser would send from a page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name in KEPT:
            self.values[name] = given.get("value") or ""
        elif tag in ("textarea", "select") and name in KEPT:
            self._name = name
            self.values.setdefault(name, "")
        elif tag == "option" and self._name and "selected" in given:
            self.values[self._name] = given.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._name and self.lasttag == "textarea":
            self.values[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._name = ""


def form_of(page: str) -> dict[str, str]:
    reader = FormReader()
    reader.feed(page)
    # HTML drops the first line break of a textarea.
    return {name: value.removeprefix("\n") for name, value in reader.values.items()}


class SignInFailed(Exception):
    """Without a session there is no staff, and no game."""


def sign_in(caller: Caller, username: str, password: str) -> None:
    page = caller.call("GET", "/admin/login/")
    token = form_of(page.text)["csrfmiddlewaretoken"] if page else ""
    entries = {
        "username": username,
        "password": password,
        "csrfmiddlewaretoken": token,
        "next": "/admin/",
    }
    answer = caller.call("POST", "/admin/login/", entries, **FORM)
    if answer is None or answer.status != 302:
        raise SignInFailed(
            f"{caller.name} could not sign in: {answer.status if answer else 'no answer'}"
        )


class AdminClient(Reader):
    def do(self, decision: Decision) -> None:
        product_id = decision.products[0]
        if decision.kind == "bulk":
            self._bulk(decision)
        elif decision.kind == "form":
            self._fill_in(decision, product_id)
        elif known := self._known(decision, product_id):
            act = self._cell if decision.kind == "cell" else self._undo
            act(decision, product_id, known["version"])

    def _known(self, decision: Decision, product_id: str) -> dict[str, Any] | None:
        """What the person has on the screen: loaded a while ago, or just now."""
        on_screen = None if decision.fresh else self.seen.get(product_id)
        return on_screen or self.read(product_id)

    def _cell(self, decision: Decision, product_id: str, version: int) -> None:
        price = f"{decision.number * 10 + 1}.{self.number:02d}"
        write = self._write(decision, product_id, {"price": price}, base=version)
        entries = {"field": "price", "value": price, "version": version}
        answer = self._post(f"{LIST}{product_id}/cell/", entries, write.write_id)
        saved = "receipt" in answer.json if answer and answer.status == 200 else None
        self._note_told(
            decision, write, answer, saved, answer.json.get("version") if answer and saved else None
        )

    def _undo(self, decision: Decision, product_id: str, version: int) -> None:
        taken = max(1, version - decision.back + 1)
        write = self._write(decision, product_id, {}, takes_back=taken)
        answer = self._post(f"{LIST}{product_id}/undo/{taken}/", {}, write.write_id)
        said = answer.json.get("message", "") if answer and answer.status == 200 else ""
        number = re.search(r"saved as v([0-9]+)", said)
        saved = bool(number) if answer and answer.status == 200 else None
        self._note_told(decision, write, answer, saved, int(number[1]) if number else None)

    def _fill_in(self, decision: Decision, product_id: str) -> None:
        """Open the form, type into it, save it, and read on the next page what came of it."""
        path = f"{LIST}{product_id}/change/"
        page = self.caller.call("GET", path)
        entries = form_of(page.text) if page and page.status == 200 else {}
        if not entries.get("base_version"):
            return
        edits = {name: value for name, value in decision.edits[0].items() if name != "features"}
        edits = edits or {"price": f"{decision.number * 10 + 2}.{self.number:02d}"}
        typed = {NAMES.get(name, name): value for name, value in edits.items()}
        write = self._write(decision, product_id, edits, base=int(entries["base_version"]))
        answer = self._post(path, entries | typed | {"_continue": "1"}, write.write_id)
        saved, version = None, None
        if answer and answer.status == 302:
            saved, version = self._said_after(path)
        self._note_told(decision, write, answer, saved, version)

    def _said_after(self, path: str) -> tuple[bool, int | None]:
        """The version the next page tells; a page that does not come tells none."""
        page = self.caller.call("GET", path)
        text = page.text if page and page.status == 200 else ""
        number = re.search(r"Saved as v([0-9]+)", text)
        return "nothing was saved" not in text, int(number[1]) if number else None

    def _note_told(
        self,
        decision: Decision,
        write: Write,
        answer: Answer | None,
        saved: bool | None,
        version: int | None,
    ) -> None:
        status = answer.status if answer else None
        if saved is not None:
            outcome = Outcome.ACCEPTED if saved else Outcome.UNCHANGED
        elif answer is None or answer.status >= 500 or "save again in a few seconds" in answer.text:
            outcome = Outcome.UNKNOWN
        else:
            outcome = Outcome.REFUSED
        write.told.append(
            Told(request_id=f"{write.write_id}.1", outcome=outcome, status=status, version=version)
        )
        self.caller.ledger.note(write)
        if outcome is Outcome.UNKNOWN:
            self.caller.recover()
        elif version:
            self.look(decision.look, write.product_id, version)

    def _bulk(self, decision: Decision) -> None:
        """Tick some products, plan one price for them, look at the plan, start it."""
        price = f"{decision.number * 10 + 3}.{self.number:02d}"
        entries = {
            "doing": "price",
            "field": "price",
            "way": "set",
            "by": price,
            "rounding": "0.01",
            "reason": "",
        }
        ticked = "&".join(f"id={product_id}" for product_id in decision.products)
        answer = self._post(f"{LIST}bulk/?{ticked}", entries, self._write_id(decision))
        if answer is None or answer.status != 302:
            self.caller.recover()
            return
        page = answer.headers["Location"]
        job_id = page.rstrip("/").rpartition("/")[2]
        self.caller.ledger.note(
            Bulk(job_id=job_id, client=self.name, product_ids=decision.products, price=price)
        )
        for _ in range(5):
            self._post(f"{page}start/", {}, self._write_id(decision))
            progress = self.caller.call("GET", f"{page}progress/")
            if progress and progress.status == 200 and progress.json["state"] != "planned":
                return
            self.caller.recover()

    def _post(self, path: str, entries: dict[str, Any], write_id: str) -> Answer | None:
        token = self.caller.cookies.get("csrftoken", "")
        headers = {
            **FORM,
            "Accept": "application/json",
            "X_CSRFToken": token,
            "X_Request_ID": f"{write_id}.1",
        }
        answer = self.caller.call(
            "POST", path, {"csrfmiddlewaretoken": token, **entries}, **headers
        )
        if answer and answer.status in (401, 403):
            self.caller.ledger.complain(f"POST {path} was answered {answer.status}")
        return answer

    def _write_id(self, decision: Decision) -> str:
        return f"gd-{self.name}-{decision.number:06d}"

    def _write(
        self, decision: Decision, product_id: str, edits: dict[str, Any], **terms: Any
    ) -> Write:
        write_id = self._write_id(decision)
        return Write(
            write_id=write_id,
            client=self.name,
            kind=decision.kind,
            product_id=product_id,
            edits=edits,
            **terms,
        )
