"""Many people log in at the same moment, with one SQLite file behind two processes."""

import re
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

from tests.deploy.test_request_bodies import answer_of, open_request
from tests.support.processes import Deployment

PEOPLE = 24


def test_parallel_logins_never_fail(deployment: Deployment) -> None:
    deployment.migrate()
    deployment.start_web(WEB_CONCURRENCY="2", LOGIN_FAILURES_PER_ADDRESS="1000")
    _, page = answer_of(
        open_request(deployment, "GET /admin/login/ HTTP/1.1\nCookie: csrftoken=" + "x" * 32)
    )
    token = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert token

    def log_in(number: int) -> int:
        entries = {
            "csrfmiddlewaretoken": token[1].decode(),
            "username": f"person-{number}",
            "password": "wrong",
        }
        body = urlencode(entries).encode()
        lines = [
            "POST /admin/login/ HTTP/1.1",
            f"Cookie: csrftoken={'x' * 32}",
            "Content-Type: application/x-www-form-urlencoded",
            f"Content-Length: {len(body)}",
        ]
        return answer_of(open_request(deployment, "\n".join(lines), body))[0]

    with ThreadPoolExecutor(PEOPLE) as pool:
        assert set(pool.map(log_in, range(PEOPLE))) == {200}
