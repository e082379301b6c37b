"""Calls of models' functions are found in queries wherever Snowflake allows them."""

from __future__ import annotations

import pytest

from firnline_sandbox.models.call_syntax import last_call, with_labels, without_aliases


@pytest.mark.parametrize(
    ("sql", "model", "version", "method", "arguments", "text"),
    [
        (
            "SELECT MODEL(d.s.m, v1)!predict(a, b) FROM t",
            "D.S.M",
            "V1",
            "PREDICT",
            ("a", "b"),
            "MODEL(d.s.m, v1)!predict(a, b)",
        ),
        ("SELECT model ( m ) ! predict()", "M", "DEFAULT", "PREDICT", (), "model ( m ) ! predict()"),
        (
            "SELECT s.m!predict(f(x, y), [1, 2])",
            "S.M",
            "DEFAULT",
            "PREDICT",
            ("f(x, y)", "[1, 2]"),
            "s.m!predict(f(x, y), [1, 2])",
        ),
        ("SELECT m!\"predict\"('a,)!b')", "M", "DEFAULT", "predict", ("'a,)!b'",), "m!\"predict\"('a,)!b')"),
        ('SELECT MODEL("d"."s"."m",LAST)!P(1)[\'x\']', "d.s.m", "LAST", "P", ("1",), 'MODEL("d"."s"."m",LAST)!P(1)'),
        (
            "SELECT a != 1, m!p(-- why, not\n a) FROM t",
            "M",
            "DEFAULT",
            "P",
            ("-- why, not\n a",),
            "m!p(-- why, not\n a)",
        ),
    ],
)
def test_a_call_is_taken_apart(
    sql: str, model: str, version: str, method: str, arguments: tuple[str, ...], text: str
) -> None:
    call = last_call(sql)
    assert call is not None
    assert (".".join(call.model), call.version, call.method, call.arguments) == (model, version, method, arguments)
    assert sql[call.start : call.end] == text
    assert not call.in_table


def test_table_functions_are_recognised() -> None:
    call = last_call("SELECT * FROM t, TABLE(MODEL(m, v)!p(a) OVER (PARTITION BY b))")
    assert call is not None
    assert call.in_table


@pytest.mark.parametrize("sql", ["SELECT 1", "SELECT a != b", "SELECT 'm!p(1)'", "SELECT 1 -- m!p(1)"])
def test_no_call(sql: str) -> None:
    assert last_call(sql) is None


@pytest.mark.parametrize(
    ("sql", "rewritten"),
    [
        ("WITH mv AS MODEL m VERSION v1 SELECT mv!p(a) FROM t", "  SELECT MODEL(m, v1)!p(a) FROM t"),
        ("WITH mv AS MODEL d.s.m SELECT mv!p(a)", "  SELECT MODEL(d.s.m)!p(a)"),
        (
            "WITH x AS (SELECT 1), mv AS MODEL m VERSION v SELECT mv!p(1)",
            "WITH x AS (SELECT 1)  SELECT MODEL(m, v)!p(1)",
        ),
        (
            "WITH mv AS MODEL m VERSION v, x AS (SELECT 1) SELECT mv!p(1)",
            "WITH  x AS (SELECT 1) SELECT MODEL(m, v)!p(1)",
        ),
        (
            "WITH a AS MODEL m VERSION v, b AS MODEL n SELECT a!p(1), b!p(2), x.a, a.b FROM x",
            "  SELECT MODEL(m, v)!p(1), MODEL(n)!p(2), x.a, a.b FROM x",
        ),
        ('WITH "mv" AS MODEL m SELECT "mv"!p(1), mv!p(1)', "  SELECT MODEL(m)!p(1), mv!p(1)"),
    ],
)
def test_aliases_of_models_are_resolved(sql: str, rewritten: str) -> None:
    assert " ".join(without_aliases(sql).split()) == " ".join(rewritten.split())


@pytest.mark.parametrize(
    ("sql", "labelled"),
    [
        ("SELECT m!p(a) FROM t", 'SELECT m!p(a) AS "M!P(A)" FROM t'),
        ("SELECT a, m!p(a)['x'], b", """SELECT a, m!p(a)['x'] AS "M!P(A)['X']", b"""),
        ("SELECT m!p(a):x::float FROM t", 'SELECT m!p(a):x::float AS "M!P(A):X::FLOAT" FROM t'),
        ('SELECT m!p("a") + 1', 'SELECT m!p("a") + 1 AS "M!P(""A"") + 1"'),
        ("SELECT m!p(a) AS x, m!p(b) y, m!p(c):z w", "SELECT m!p(a) AS x, m!p(b) y, m!p(c):z w"),
        ("SELECT f(1, m!p(a), 2)", 'SELECT f(1, m!p(a), 2) AS "F(1, M!P(A), 2)"'),
        ("SELECT a FROM t WHERE m!p(a) > 1 GROUP BY b, m!p(a)", "SELECT a FROM t WHERE m!p(a) > 1 GROUP BY b, m!p(a)"),
        ("SELECT * FROM t, TABLE(m!p(a))", "SELECT * FROM t, TABLE(m!p(a))"),
    ],
)
def test_unnamed_columns_are_named_by_their_text(sql: str, labelled: str) -> None:
    assert with_labels(sql) == labelled
