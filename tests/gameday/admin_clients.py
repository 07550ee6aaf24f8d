"""Clients of the admin: they submit forms, edit cells, undo versions and run bulk edits."""

import re
from html.parser import HTMLParser
from typing import Any

from tests.gameday.api_clients import Reader
from tests.gameday.decisions import Decision
from tests.gameday.http_client import HttpClient, Response
from tests.gameday.ledger import Bulk, ClientResult, Outcome, Write

LIST = "/admin/products/product/"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
NAMES = {"renewalPrice": "renewal_price", "features": "features"}
FORM_FIELDS = {
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
    """Collect the form values that a browser would submit from a page."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._name = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "input" and name in FORM_FIELDS:
            self.values[name] = given.get("value") or ""
        elif tag in ("textarea", "select") and name in FORM_FIELDS:
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
    """The admin accepted no sign-in, so the game cannot start."""


def sign_in(http: HttpClient, username: str, password: str) -> None:
    page = http.call("GET", "/admin/login/")
    token = form_of(page.text)["csrfmiddlewaretoken"] if page else ""
    entries = {
        "username": username,
        "password": password,
        "csrfmiddlewaretoken": token,
        "next": "/admin/",
    }
    response = http.call("POST", "/admin/login/", entries, **FORM)
    if response is None or response.status != 302:
        raise SignInFailed(
            f"{http.name} could not sign in: {response.status if response else 'no answer'}"
        )


class AdminClient(Reader):
    def perform(self, decision: Decision) -> None:
        product_id = decision.products[0]
        if decision.kind == "bulk":
            self._bulk(decision)
        elif decision.kind == "form":
            self._submit_form(decision, product_id)
        elif known := self._displayed_product(decision, product_id):
            act = self._edit_cell if decision.kind == "cell" else self._undo
            act(decision, product_id, known["version"])

    def _displayed_product(self, decision: Decision, product_id: str) -> dict[str, Any] | None:
        """Return the product on the person's screen, which was loaded earlier or is loaded now."""
        on_screen = None if decision.is_fresh else self.last_seen.get(product_id)
        return on_screen or self.read(product_id)

    def _edit_cell(self, decision: Decision, product_id: str, version: int) -> None:
        price = f"{decision.number * 10 + 1}.{self.number:02d}"
        write = self._write(decision, product_id, {"price": price}, base=version)
        entries = {"field": "price", "value": price, "version": version}
        response = self._post(f"{LIST}{product_id}/cell/", entries, write.write_id)
        saved = "receipt" in response.json if response and response.status == 200 else None
        self._record_result(
            decision,
            write,
            response,
            saved,
            response.json.get("version") if response and saved else None,
        )

    def _undo(self, decision: Decision, product_id: str, version: int) -> None:
        taken = max(1, version - decision.versions_back + 1)
        write = self._write(decision, product_id, {}, undoes=taken)
        response = self._post(f"{LIST}{product_id}/undo/{taken}/", {}, write.write_id)
        said = response.json.get("message", "") if response and response.status == 200 else ""
        number = re.search(r"saved as version ([0-9]+)", said)
        saved = bool(number) if response and response.status == 200 else None
        self._record_result(decision, write, response, saved, int(number[1]) if number else None)

    def _submit_form(self, decision: Decision, product_id: str) -> None:
        """Open the form, edit it, save it, and read the result on the next page."""
        path = f"{LIST}{product_id}/change/"
        page = self.http.call("GET", path)
        entries = form_of(page.text) if page and page.status == 200 else {}
        if not entries.get("base_version"):
            return
        edits = {name: value for name, value in decision.edits[0].items() if name != "features"}
        edits = edits or {"price": f"{decision.number * 10 + 2}.{self.number:02d}"}
        typed = {NAMES.get(name, name): value for name, value in edits.items()}
        write = self._write(decision, product_id, edits, base=int(entries["base_version"]))
        response = self._post(path, entries | typed | {"_continue": "1"}, write.write_id)
        saved, version = None, None
        if response and response.status == 302:
            saved, version = self._read_saved_version(path)
        self._record_result(decision, write, response, saved, version)

    def _read_saved_version(self, path: str) -> tuple[bool, int | None]:
        """Return whether the next page reports a save, and the version if the page shows one."""
        page = self.http.call("GET", path)
        text = page.text if page and page.status == 200 else ""
        number = re.search(r"Saved as version ([0-9]+)", text)
        return "nothing was saved" not in text, int(number[1]) if number else None

    def _record_result(
        self,
        decision: Decision,
        write: Write,
        response: Response | None,
        saved: bool | None,
        version: int | None,
    ) -> None:
        status = response.status if response else None
        if saved is not None:
            outcome = Outcome.ACCEPTED if saved else Outcome.UNCHANGED
        elif (
            response is None
            or response.status >= 500
            or "save again in a few seconds" in response.text
        ):
            outcome = Outcome.UNKNOWN
        else:
            outcome = Outcome.REFUSED
        write.results.append(
            ClientResult(
                request_id=f"{write.write_id}.1", outcome=outcome, status=status, version=version
            )
        )
        self.http.ledger.record(write)
        if outcome is Outcome.UNKNOWN:
            self.http.recover()
        elif version:
            self.read_back(decision.read_back, write.product_id, version)

    def _bulk(self, decision: Decision) -> None:
        """Select some products, plan one price for them, open the plan and start it."""
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
        response = self._post(f"{LIST}bulk/?{ticked}", entries, self._write_id(decision))
        if response is None or response.status != 302:
            self.http.recover()
            return
        page = response.headers["Location"]
        job_id = page.rstrip("/").rpartition("/")[2]
        self.http.ledger.record(
            Bulk(job_id=job_id, client=self.name, product_ids=decision.products, price=price)
        )
        for _ in range(5):
            self._post(f"{page}start/", {}, self._write_id(decision))
            progress = self.http.call("GET", f"{page}progress/")
            if progress and progress.status == 200 and progress.json["state"] != "planned":
                return
            self.http.recover()

    def _post(self, path: str, entries: dict[str, Any], write_id: str) -> Response | None:
        token = self.http.cookies.get("csrftoken", "")
        headers = {
            **FORM,
            "Accept": "application/json",
            "X_CSRFToken": token,
            "X_Request_ID": f"{write_id}.1",
        }
        response = self.http.call(
            "POST", path, {"csrfmiddlewaretoken": token, **entries}, **headers
        )
        if response and response.status in (401, 403):
            self.http.ledger.record_error(f"POST {path} was answered {response.status}")
        return response

    def _write_id(self, decision: Decision) -> str:
        return f"gd-{self.name}-{decision.number:06d}"

    def _write(
        self, decision: Decision, product_id: str, edits: dict[str, Any], **options: Any
    ) -> Write:
        write_id = self._write_id(decision)
        return Write(
            write_id=write_id,
            client=self.name,
            kind=decision.kind,
            product_id=product_id,
            edits=edits,
            **options,
        )
