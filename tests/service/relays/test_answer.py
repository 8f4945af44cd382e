from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import urllib3

from service.relays.answer import Answer


@pytest.mark.parametrize(
    ("status", "delivered", "refused"),
    [
        *((status, True, False) for status in (200, 204)),
        *((status, False, True) for status in (400, 413, 422)),
        *((status, False, False) for status in (302, 401, 403, 404, 408, 429, 500, 503)),
    ],
)
def test_what_is_to_be_done_follows_from_the_status(status: int, delivered: bool, refused: bool) -> None:
    answer = Answer.of(status, b"", {})
    assert (answer.delivered, answer.refused) == (delivered, refused)


@pytest.mark.parametrize(
    ("asked", "seconds"), [("7", 7.0), ("-1", 0.0), ("soon", None), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0)]
)
def test_a_server_may_ask_for_time(asked: str, seconds: float | None) -> None:
    assert Answer.of(503, b"", {"Retry-After": asked}).retry_after_s == seconds
    assert Answer.of(400, b"", {"Retry-After": asked}).retry_after_s is None


def test_a_server_may_ask_to_be_left_alone_until_a_time() -> None:
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    seconds = Answer.of(429, b"", {"Retry-After": until}).retry_after_s
    assert seconds is not None
    assert 95 < seconds <= 100


def test_the_servers_own_words_are_told_on_one_line_with_a_hint() -> None:
    assert str(Answer.of(401, b'{"error": "authorization\\nfailed"}', {})) == (
        "401 authorization failed (are user, password or token right?)"
    )
    assert str(Answer.of(500, '{"code": "internal", "message": "disk"}', {})) == "500 disk"
    assert str(Answer.of(502, b"<html>\n" + 1000 * b"x", {}))[:12] == "502 <html> x"
    assert len(str(Answer.of(502, 1000 * b"x", {}))) == 304
    assert str(Answer.of(500, b"[1]", {})) == "500 [1]"
    assert str(Answer.of(500, b"\xff", {})) == "500 \ufffd"


def test_what_is_told_of_no_answer_has_no_path_which_may_be_a_secret() -> None:
    pool = urllib3.PoolManager(retries=False, timeout=0.2)
    with pytest.raises(urllib3.exceptions.HTTPError) as caught:
        pool.request("POST", "http://127.0.0.1:9/secret")
    assert str(Answer.none(caught.value)) == "no connection: [Errno 111] Connection refused"
    with pytest.raises(urllib3.exceptions.HTTPError) as caught:
        pool.request("POST", "http://no.such.host.invalid/secret")
    assert "secret" not in str(Answer.none(caught.value))
