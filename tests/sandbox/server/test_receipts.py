"""Answers that are kept with the changes of which they tell."""

from __future__ import annotations

import pytest

from firnline_sandbox import SandboxEngine
from firnline_sandbox.catalog import receipts


def break_off(engine: SandboxEngine) -> None:
    """Begin a transaction with an answer, and do not commit it."""
    with engine.write() as transaction:
        transaction.receipt = ("dropped", b"answer")
        raise ZeroDivisionError


def test_an_answer_is_there_exactly_if_the_transaction_was_committed() -> None:
    with SandboxEngine.open() as engine:
        with engine.write() as transaction:
            transaction.receipt = ("kept", b"\x00answer")
        with pytest.raises(ZeroDivisionError):
            break_off(engine)
        cursor = engine.cursors.take()
        assert receipts.find(cursor, "kept") == b"\x00answer"
        # The cursor is one that others take over: nothing of the look-up may be left on it.
        assert cursor.sql("select 1").fetchall() == [(1,)]
        assert receipts.find(cursor, "dropped") is None
        engine.cursors.give(cursor)
