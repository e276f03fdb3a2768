"""Pass phrases and the keys that they give: what they give today they have to give for good."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import numpy as np
import pytest

from iiccli.carrier import Lock
from iiccli.errors import InputError, PhraseError, UsageError
from iiccli.locking import KeyedLock, Phrase

SALT, NONCE = bytes(range(16)), bytes(range(12))


@pytest.fixture(scope="module")
def phrase() -> Phrase:
    return Phrase("correct horse battery staple")


def test_what_a_phrase_gives_never_changes(phrase: Phrase) -> None:
    key = phrase.key(SALT)
    assert key.check(NONCE).hex() == "201a74f61e7888f9"
    assert key.tag(NONCE, b"one", b"two").hex() == "50407ff9e207353945bbfb1be1cff477"
    pad = key.pad(NONCE, (5, 7, 3), (3, 4, 8))
    assert pad.shape == (5, 7, 3)
    assert [int(pad[..., c].max()) for c in range(3)] == [2, 3, 7]
    assert hashlib.sha256(pad.tobytes()).hexdigest() == (
        "fa6a6069f006a82d8811cd0a7124833006826032ec22dd14b92c82a5edf893aa"
    )
    assert key.veil(NONCE, 8).hex() == "7b8860cecab93c09"


def test_channels_and_nonces_have_streams_of_their_own(phrase: Phrase) -> None:
    key = phrase.key(SALT)
    pad = key.pad(NONCE, (40, 50, 3), (8, 8, 8))
    other = key.pad(bytes(12), (40, 50, 3), (8, 8, 8))
    for a, b in ((pad[..., 0], pad[..., 1]), (pad[..., 1], pad[..., 2]), (pad, other)):
        assert abs(np.mean(a == b) - 1 / 8) < 0.03


def test_a_phrase_counts_in_composed_form(tmp_path: Path) -> None:
    word = "Schlüsselwörter"
    (tmp_path / "key").write_text(unicodedata.normalize("NFD", word) + "\r\n", encoding="utf-8")
    key = Phrase(word).key(SALT)
    assert Phrase.from_file(tmp_path / "key").key(SALT).check(NONCE) == key.check(NONCE)
    (tmp_path / "raw").write_bytes(b"\xff\xfe\x00raw")
    raw = Phrase.from_file(tmp_path / "raw").key(SALT)
    assert raw.check(NONCE) == Phrase(b"\xff\xfe\x00raw").key(SALT).check(NONCE)


def test_what_is_no_phrase(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="empty"):
        Phrase("")
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        Phrase.from_file(tmp_path / "empty")
    with pytest.raises(InputError, match="cannot be read"):
        Phrase.from_file(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        Phrase.from_file(tmp_path / "missing")
    (tmp_path / "large").write_bytes(bytes(2_000_000))
    with pytest.raises(InputError, match="too large"):
        Phrase.from_file(tmp_path / "large")


def test_a_phrase_is_never_shown(phrase: Phrase) -> None:
    assert "horse" not in repr(phrase)
    assert "horse" not in f"{phrase} {vars(phrase.key(SALT))}"


def test_locks(phrase: Phrase) -> None:
    one, two = KeyedLock.new(phrase).lock, KeyedLock.new(phrase).lock
    assert one.salt == two.salt
    assert one.nonce != two.nonce
    assert KeyedLock.opened("c.png", one, phrase).lock == one
    with pytest.raises(PhraseError, match="locked with a pass phrase"):
        KeyedLock.opened("c.png", one, None)
    with pytest.raises(PhraseError, match="does not open"):
        KeyedLock.opened("c.png", one, Phrase("another"))
    assert Lock.from_bytes(one.to_bytes()) == one
    assert Lock.from_json(one.to_json()) == one
