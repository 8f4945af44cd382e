from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.secret import read_secret


def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("open sesame \nnot this\n")
    assert read_secret(tmp_path / "secret") == "open sesame "


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "expected a readable password file, got: No such file"),
        (b"\xff\xfe", "expected a readable password file, got: bytes that are no text"),
        (b"", "expected a password in the first line, got an empty one"),
        (b"\nlater", "expected a password in the first line, got an empty one"),
    ],
)
def test_a_file_without_a_secret_is_told(tmp_path: Path, content: bytes | None, message: str) -> None:
    if content is not None:
        (tmp_path / "secret").write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        read_secret(tmp_path / "secret")
