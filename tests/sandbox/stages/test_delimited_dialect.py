"""Cutting text into records: against Python's own CSV writer, and the same however the text comes in pieces."""

from __future__ import annotations

import csv
import io
import itertools

from hypothesis import given
from hypothesis import strategies as st

from firnline_sandbox.stages.dialect import Dialect
from firnline_sandbox.stages.formats import complete

TEXTS = st.text(alphabet='ab,"\n\r \\é', max_size=6)
TABLES = st.lists(st.lists(TEXTS, min_size=2, max_size=4), min_size=1, max_size=6)


def cut(text: str, sizes: list[int]) -> list[str]:
    """Cut a text into pieces of these sizes, over and over."""
    pieces, place = [], 0
    for size in itertools.cycle(sizes):
        if place >= len(text):
            return pieces
        pieces.append(text[place : place + size])
        place += size
    return pieces


@given(rows=TABLES, sizes=st.lists(st.integers(1, 9), min_size=1, max_size=4))
def test_what_pythons_writer_wrote_is_read_back(rows: list[list[str]], sizes: list[int]) -> None:
    sink = io.StringIO()
    csv.writer(sink, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    options = {"TYPE": "CSV", "FIELD_OPTIONALLY_ENCLOSED_BY": '"', "NULL_IF": []}
    records = list(Dialect.of(complete(options)).records(cut(sink.getvalue(), sizes)))
    assert [record.fields for record in records] == rows
    assert not any(record.fault for record in records)


@given(
    text=st.text(alphabet='ab,"\n\r\\N ', max_size=40),
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    quote=st.sampled_from(["NONE", '"']),
    escape=st.sampled_from(["NONE", "\\"]),
    end=st.sampled_from(["\n", "b", "\r\n"]),
)
def test_pieces_make_no_difference(text: str, sizes: list[int], quote: str, escape: str, end: str) -> None:
    options = {
        "TYPE": "CSV",
        "FIELD_OPTIONALLY_ENCLOSED_BY": quote,
        "ESCAPE_UNENCLOSED_FIELD": escape,
        "RECORD_DELIMITER": end,
    }
    dialect = Dialect.of(complete(options))
    whole = [
        (record.line, record.start, record.end, record.fields, record.fault)
        for record in dialect.records([text] if text else [], exact=True)
    ]
    for exact in (True, False):
        pieces = [
            (record.line, record.start, record.end, record.fields, record.fault)
            for record in dialect.records(cut(text, sizes), exact=exact)
        ]
        assert pieces == whole
