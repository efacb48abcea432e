import threading
import time

import pytest
from pydantic import ValidationError

from landing import credentials
from landing.credentials import Secret, SecretVerifier, hash_secret


def hashed(plain: str, name: str = "backend") -> Secret:
    return Secret(name=name, hash=hash_secret(plain))


def test_the_right_secret_is_accepted_and_others_are_not() -> None:
    verifier = SecretVerifier()
    secrets = (hashed("first"), hashed("zweites Geheimnis äöü"), Secret(name="dev", plain="third"))

    for presented in ("first", "zweites Geheimnis äöü", "third"):
        assert verifier.verify(presented, secrets)
    for presented in ("", "First", "first ", "thir", "\udcff"):
        assert not verifier.verify(presented, secrets)
    assert not verifier.verify("first", ())


def test_a_hash_is_salted_and_names_its_cost() -> None:
    first, second = hash_secret("same"), hash_secret("same")

    assert first != second
    assert first.startswith("scrypt$14$8$1$")


def test_an_empty_secret_has_no_hash() -> None:
    with pytest.raises(ValueError, match="empty"):
        hash_secret("")


def test_a_known_answer_costs_no_second_derivation(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = SecretVerifier()
    secrets = (hashed("right"),)
    verifier.verify("right", secrets)
    verifier.verify("wrong", secrets)

    monkeypatch.setattr(credentials, "_derives", lambda *_: pytest.fail("derived again"))

    assert verifier.verify("right", secrets)
    assert not verifier.verify("wrong", secrets)


def test_thousands_of_verifications_take_a_second() -> None:
    verifier = SecretVerifier()
    secrets = (hashed("right"),)
    verifier.verify("right", secrets)

    started_s = time.perf_counter()
    assert all(verifier.verify("right", secrets) for _ in range(5_000))

    assert time.perf_counter() - started_s < 1


def test_a_known_secret_does_not_wait_for_the_derivation_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    verifier = SecretVerifier()
    secrets = (hashed("right"),)
    verifier.verify("right", secrets)
    is_deriving, may_end = threading.Event(), threading.Event()

    def slow(*_: object) -> bool:
        is_deriving.set()
        return not may_end.wait(60)

    monkeypatch.setattr(credentials, "_derives", slow)
    flood = threading.Thread(target=verifier.verify, args=("wrong", secrets))
    flood.start()
    is_deriving.wait(60)

    known = threading.Thread(target=verifier.verify, args=("right", secrets))
    known.start()
    known.join(10)
    waits = known.is_alive()
    may_end.set()
    flood.join()
    known.join()
    assert not waits


def test_a_replaced_hash_is_asked_anew() -> None:
    verifier = SecretVerifier()
    assert verifier.verify("old", (hashed("old"),))

    assert not verifier.verify("old", (hashed("new"),))


def test_nothing_that_was_presented_stays_in_memory() -> None:
    verifier = SecretVerifier()
    secret = hashed("the right one")
    verifier.verify("the right one", (secret,))
    verifier.verify("a wrong one", (secret,))

    kept = repr(vars(verifier))

    assert "right one" not in kept
    assert "wrong one" not in kept


def test_refusals_kept_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    derived = []
    monkeypatch.setattr(credentials, "_derives", lambda presented, _: derived.append(presented))
    monkeypatch.setattr(credentials, "_REFUSALS_KEPT", 10)
    verifier = SecretVerifier()
    secrets = (hashed("right"),)

    for number in (*range(50), 49, 40, 39):
        verifier.verify(str(number), secrets)

    assert derived == [str(number).encode() for number in (*range(50), 39)]


@pytest.mark.parametrize(
    "text",
    ["", "md5", "scrypt$14$8$1$AAAA$AAAA", "scrypt$14$8$1$!$!", "scrypt$a$8$1$AA==$AA==", "bcrypt$14$8$1$AA==$AA=="],
)
def test_what_is_no_hash_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="not a hash made by"):
        Secret(name="a", hash=text)


def test_the_representation_hides_the_secret() -> None:
    assert "hunter2" not in repr(Secret(name="a", plain="hunter2"))
