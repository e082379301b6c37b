"""What is decided about a file, before anything is loaded."""

from __future__ import annotations

import datetime as dt
import gzip
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firnline.errors import DataError, UsageError
from firnline_snowpark.ingest.files import open_file
from firnline_snowpark.ingest.files_params import FilesParams, file_path


def opened(path: Path, **params):
    return open_file(path, FilesParams(path=str(path), **params), "ingest")


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def types(rows) -> dict[str, str]:
    return {column.name: column.type for column in rows.columns}


def values(rows) -> dict[str, list]:
    table = pa.Table.from_batches(rows.batches())
    return {column.name: table.column(index).to_pylist() for index, column in enumerate(rows.columns)}


@pytest.mark.parametrize(
    ("cells", "type_", "first"),
    [
        (["1", "-2", "30"], "NUMBER(38,0)", 1),
        (["1", "2.5", "1e3"], "FLOAT", 1.0),
        (["+1.5", ".5", "2."], "FLOAT", 1.5),
        (["true", "False", "TRUE"], "BOOLEAN", True),
        (["Yes", "No", "Yes"], "TEXT", "Yes"),
        (["007", "012", "100"], "TEXT", "007"),
        (["12345678901234567890", "1", "2"], "TEXT", "12345678901234567890"),
        (["2024-02-29", "2023-01-01", "2023-12-31"], "DATE", "2024-02-29"),
        (["2023-02-30", "2023-01-01", "2023-12-31"], "TEXT", "2023-02-30"),
        (["29.2.2024", "1.1.2023", "31.12.2023"], "DATE", "2024-02-29"),
        (["13/02/2024", "1/1/2023", "2/3/2023"], "DATE", "2024-02-13"),
        (["02/13/2024", "1/1/2023", "2/3/2023"], "DATE", "2024-02-13"),
        (["01/02/2024", "1/1/2023", "2/3/2023"], "TEXT", "01/02/2024"),
        (["2024-01-01 10:30:00", "2024-01-01T10:30", "2024-01-01 10:30:00.25"], "TIMESTAMP_NTZ", "2024-01-01 10:30:00"),
        (
            ["2024-01-01T10:30:00+02:00", "2024-01-01T10:30:00Z", "2024-01-01 10:30:00Z"],
            "TIMESTAMP_NTZ",
            "2024-01-01T08:30:00.000000",
        ),
        ([" a ", "b", "c"], "TEXT", "a"),
        (["", "  ", ""], "TEXT", None),
        (["NA", "null", ""], "TEXT", None),
    ],
)
def test_types_are_found_over_all_values(tmp_path, cells, type_, first):
    rows = opened(written(tmp_path, "x,y\n" + "".join(f"{cell},1\n" for cell in cells)))
    assert types(rows)["x"] == type_
    assert values(rows)["x"][0] == first


def test_a_type_that_only_the_last_row_breaks_is_broken(tmp_path):
    rows = opened(written(tmp_path, "x\n" + "1\n" * 5_000 + "n.a.\n"))
    assert types(rows) == {"x": "TEXT"}
    assert rows.columns[0].note == "kept as text for 1 of 5,001 values that are no numbers: 'n.a.'"


def test_blanks_and_words_for_missing_values(tmp_path):
    rows = opened(written(tmp_path, "total,kind\n1.5,NA\n ,b\nN/A,\n2,d\n"))
    assert types(rows) == {"total": "FLOAT", "kind": "TEXT"}
    assert values(rows) == {"total": [1.5, None, None, 2.0], "kind": ["NA", "b", None, "d"]}
    assert rows.columns[0].note == "1 blank values became NULL; 1 words for a missing value became NULL"


def test_decimal_commas_semicolons_and_quotes(tmp_path):
    rows = opened(written(tmp_path, 'a;"b;c";d\n1,5;"x\ny";"say ""hi"""\n'), decimal=",")
    assert types(rows) == {"a": "FLOAT", "b;c": "TEXT", "d": "TEXT"}
    assert values(rows) == {"a": [1.5], "b;c": ["x\ny"], "d": ['say "hi"']}
    assert "semicolon" in dict(rows.facts)["format"]


def test_names_that_sql_finds_hard(tmp_path):
    rows = opened(written(tmp_path, 'select,größe,"a ""b""",a.b,,日本\n1,2,3,4,5,6\n'))
    assert list(types(rows)) == ["select", "größe", 'a "b"', "a.b", "COLUMN_5", "日本"]
    assert ("name", "column 5 has no name and is called COLUMN_5") in rows.facts


def test_a_byte_order_mark_and_compression(tmp_path):
    path = tmp_path / "rows.csv.gz"
    path.write_bytes(gzip.compress("a,b\n1,ü\n".encode("utf-8-sig")))
    rows = opened(path)
    assert values(rows) == {"a": [1], "b": ["ü"]}


def test_another_encoding_is_read_where_it_is_declared(tmp_path):
    for encoding in ("cp1252", "utf-16"):
        rows = opened(written(tmp_path, "name,x\nMüller,1\n", encoding), encoding=encoding)
        assert values(rows) == {"name": ["Müller"], "x": [1]}


@pytest.mark.parametrize(
    ("content", "message", "hint"),
    [
        (b"", "is empty", "written to the end"),
        (b"\n \n", "is empty", "written to the end"),
        (b"a,b\n", "no rows", "needs rows"),
        (b"a,b,a\n1,2,3\n", "'a' (columns 1, 3)", "rename"),
        (b"a,_ROW\n1,2\n", "'_ROW'", "row_column"),
        (b"1,2,3\n4,5,6\n", "holds numbers, not names: 1, 2, 3", "row of column names"),
        (b"a,b\n1,2\n1,2,3\n", "Expected 2 columns, got 3", "delimiter"),
        (b"a\0b,c\n1,2\n", "zero bytes", "CSV and Parquet"),
        (b"PK\x03\x04....", "workbook", "save the sheet"),
        ("a,b\n1,2\n".encode("utf-16"), "utf-16 text", "ingest.params.encoding=utf-16"),
        (b"x" * 300 + b",b\n1,2\n", "300 characters", "shorten"),
        (b'a,b\n1,"2\n' + b"3,4\n" * 5_000, "never closed", "written twice"),
        (b"a,b\n1," + b"x" * 40_000_000 + b"\n1,2\n", "more than 16 MB", "cut it short"),
    ],
    ids=lambda value: "" if isinstance(value, bytes) else value[:20],
)
def test_bad_csv(tmp_path, content, message, hint):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        opened(path)
    assert message in caught.value.message
    assert hint in str(caught.value.hint)


@pytest.mark.parametrize("rows_before", [0, 200_000])
def test_wrong_encoding_names_the_place(tmp_path, rows_before):
    content = b"name,x\n" + b"Meier,1\n" * rows_before + b"M\xfcller,1\n" + b"Meier,1\n" * 10
    path = tmp_path / "latin.csv"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        opened(path)
    offset = content.index(b"\xfc")
    assert f"byte 0xfc at offset {offset:,} (line {rows_before + 2:,})" in caught.value.message
    assert "ingest.params.encoding=cp1252" in str(caught.value.hint)
    assert "Müller" in str(caught.value.hint)


def test_a_header_in_the_wrong_encoding(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("größe,x\n1,2\n".encode("latin-1"))
    with pytest.raises(DataError, match="byte 0xf6 at offset 2"):
        opened(path)


def test_an_unknown_encoding_is_a_matter_of_the_config():
    with pytest.raises(ValueError, match="no text encoding"):
        FilesParams(path="x", encoding="utf-9")


def test_parquet_types(tmp_path):
    table = pa.table(
        {
            "i": pa.array([1, None], pa.int32()),
            "f": [1.5, float("nan")],
            "b": [True, None],
            "d": [dt.date(2024, 1, 2), None],
            "t": pa.array(
                [dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), None], pa.timestamp("ns", tz="Europe/Berlin")
            ),
            "n": pa.array(["1.25", None]).cast(pa.decimal128(10, 2)),
            "c": pa.array(["x", "y"]).dictionary_encode(),
            "a.b": ["p", "q"],
            "l": [[1], [2]],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    rows = opened(tmp_path / "t.parquet")
    assert types(rows) == {
        "i": "NUMBER(38,0)", "f": "FLOAT", "b": "BOOLEAN", "d": "DATE", "t": "TIMESTAMP_NTZ", "n": "NUMBER(10,2)",
        "c": "TEXT", "a.b": "TEXT",
    }  # fmt: skip
    assert values(rows) == {
        "i": [1, None], "f": [1.5, None], "b": [True, None], "d": ["2024-01-02", None],
        "t": ["2024-01-02 03:04:05.000000", None], "n": ["1.25", None], "c": ["x", "y"], "a.b": ["p", "q"],
    }  # fmt: skip
    assert rows.left_out == (("l", "values of type list<element: int64> are not loaded"),)


def test_parquet_cut_in_half(tmp_path):
    path = tmp_path / "half.parquet"
    pq.write_table(pa.table({"x": list(range(10_000))}), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DataError, match="is cut off") as caught:
        opened(path)
    assert "download it again" in str(caught.value.hint)


def test_parquet_that_is_none_or_damaged_or_empty(tmp_path):
    path = tmp_path / "text.parquet"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is not a Parquet file"):
        opened(path)
    pq.write_table(pa.table({"x": [str(i) for i in range(100_000)]}), path, compression="none", use_dictionary=False)
    content = bytearray(path.read_bytes())
    content[20:4_000] = b"\xff" * 3_980
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="is damaged"):
        values(opened(path))
    pq.write_table(pa.table({"x": pa.array([], pa.int64())}), path)
    with pytest.raises(DataError, match="no rows"):
        opened(path)


def test_parquet_with_a_name_twice(tmp_path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"]), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="same name: 'x'"):
        opened(tmp_path / "t.parquet")


def test_a_large_text_column_needs_little_memory(tmp_path):
    path = tmp_path / "texts.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        for number in range(400):
            file.write(f"{number},{'lorem ipsum ' * 43_000}\n")
    assert path.stat().st_size > 200_000_000
    before = pa.total_allocated_bytes()
    tracemalloc.start()
    rows = opened(path)
    peak = max(pa.total_allocated_bytes() - before for _ in rows.batches())
    python_peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert types(rows) == {"id": "NUMBER(38,0)", "text": "TEXT"}
    assert peak + python_peak < 100_000_000


def test_one_long_value_is_read(tmp_path):
    rows = opened(written(tmp_path, "id,text\n1," + "x" * 5_000_000 + "\n2,y\n"))
    assert [len(text) for text in values(rows)["text"]] == [5_000_000, 1]


def test_a_missing_file_is_answered_with_the_nearest(tmp_path):
    (tmp_path / "customers.csv").touch()
    with pytest.raises(UsageError) as caught:
        file_path(FilesParams(path="custmers.csv"), tmp_path)
    assert "customers.csv" in str(caught.value.hint)
    with pytest.raises(UsageError, match="is a folder"):
        file_path(FilesParams(path="."), tmp_path)
    with pytest.raises(UsageError, match="is an address"):
        file_path(FilesParams(path="s3://bucket/file.csv"), tmp_path)
