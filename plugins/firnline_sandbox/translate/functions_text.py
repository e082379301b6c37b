"""Text, binary and hash functions."""

from __future__ import annotations

from firnline_sandbox import types as t
from firnline_sandbox.errors import invalid_argument, unsupported
from firnline_sandbox.translate.casts import cast
from firnline_sandbox.translate.functions import Call, declare, function
from firnline_sandbox.translate.operators import as_text
from firnline_sandbox.translate.projections import expand_star, star_of
from firnline_sandbox.translate.values import ABSENT, Value, quote_text

declare("UPPER UCASE", (t.TEXT,), 0, "upper({0})")
declare("LOWER LCASE", (t.TEXT,), 0, "lower({0})")
declare("REVERSE", (t.TEXT,), 0, "reverse({0})")
declare("REPEAT", (t.TEXT, t.INTEGER), t.TEXT, "repeat({0}, CAST(greatest({1}, 0) AS BIGINT))")
declare("SPACE", (t.INTEGER,), t.TEXT, "repeat(' ', CAST(greatest({0}, 0) AS BIGINT))")
declare("ASCII", (t.TEXT,), t.number(3), "CAST(CASE WHEN {0} = '' THEN 0 ELSE ascii({0}) END AS BIGINT)")
declare("UNICODE", (t.TEXT,), t.number(7), "CAST(CASE WHEN {0} = '' THEN 0 ELSE unicode({0}) END AS BIGINT)")
declare("CHR CHAR", (t.INTEGER,), t.text(1), "chr(CAST({0} AS INTEGER))")
declare("TRIM", (t.TEXT, t.TEXT), t.TEXT, "trim({0}, ' ')", "trim({0}, {1})")
declare("LTRIM", (t.TEXT, t.TEXT), t.TEXT, "ltrim({0}, ' ')", "ltrim({0}, {1})")
declare("RTRIM", (t.TEXT, t.TEXT), t.TEXT, "rtrim({0}, ' ')", "rtrim({0}, {1})")
declare("REPLACE", (t.TEXT, t.TEXT, t.TEXT), t.TEXT, "replace({0}, {1}, '')", "sf_replace({0}, {1}, {2})")
declare("TRANSLATE", (t.TEXT, t.TEXT, t.TEXT), t.TEXT, "translate({0}, {1}, {2})")
declare("STARTSWITH", (t.TEXT, t.TEXT), t.BOOLEAN, "starts_with({0}, {1})")
declare("ENDSWITH", (t.TEXT, t.TEXT), t.BOOLEAN, "ends_with({0}, {1})")
declare("CONTAINS", (t.TEXT, t.TEXT), t.BOOLEAN, "contains({0}, {1})")
declare("POSITION CHARINDEX", (t.TEXT, t.TEXT, t.INTEGER), t.INTEGER, "strpos({1}, {0})", "sf_position({0}, {1}, {2})")
declare("SPLIT_PART", (t.TEXT, t.TEXT, t.INTEGER), t.TEXT, "sf_split_part({0}, {1}, CAST({2} AS BIGINT))")
declare("SPLIT", (t.TEXT, t.TEXT), t.ARRAY, "sf_split({0}, {1})")
declare(
    "STRTOK",
    (t.TEXT, t.TEXT, t.INTEGER),
    t.TEXT,
    "sf_strtok({0}, ' ', 1)",
    "sf_strtok({0}, {1}, 1)",
    "sf_strtok({0}, {1}, {2})",
)
declare("STRTOK_TO_ARRAY", (t.TEXT, t.TEXT), t.ARRAY, "sf_strtok_array({0}, ' ')", "sf_strtok_array({0}, {1})")
declare("EDITDISTANCE", (t.TEXT, t.TEXT), t.INTEGER, "levenshtein({0}, {1})")
declare(
    "JAROWINKLER_SIMILARITY",
    (t.TEXT, t.TEXT),
    t.INTEGER,
    "CAST(floor(jaro_winkler_similarity(upper({0}), upper({1})) * 100) AS BIGINT)",
)
declare("MD5 MD5_HEX", (t.TEXT,), t.text(32), "md5({0})")
declare("SHA1 SHA1_HEX", (t.TEXT,), t.text(40), "sha1({0})")
declare("BASE64_DECODE_STRING", (t.TEXT,), t.TEXT, "decode(from_base64({0}))")
declare("BASE64_DECODE_BINARY", (t.TEXT,), t.BINARY, "from_base64({0})")
declare("HEX_DECODE_STRING", (t.TEXT,), t.TEXT, "decode(unhex({0}))")
declare("HEX_DECODE_BINARY", (t.TEXT,), t.BINARY, "unhex({0})")
declare("OCTET_LENGTH", (None,), t.INTEGER, "octet_length(CAST({0} AS BLOB))")
declare("BIT_LENGTH", (None,), t.INTEGER, "8 * octet_length(CAST({0} AS BLOB))")
declare("LEFT", (t.TEXT, t.INTEGER), t.TEXT, "left({0}, CAST(greatest({1}, 0) AS BIGINT))")
declare("RIGHT", (t.TEXT, t.INTEGER), t.TEXT, "right({0}, CAST(greatest({1}, 0) AS BIGINT))")
declare(
    "INSERT", (t.TEXT, t.INTEGER, t.INTEGER, t.TEXT), t.TEXT, "(left({0}, {1} - 1) || {3} || substr({0}, {1} + {2}))"
)
declare("SOUNDEX", (t.TEXT,), t.TEXT, "sf_soundex({0})")
declare("UUID_STRING", (), t.text(36), "CAST(uuid() AS VARCHAR)", nullable=False)


@function("LENGTH", "LEN")
def length(call: Call) -> Value:
    """Count characters, or the bytes of a BINARY."""
    value = call.value(0)
    if value.type.kind == "BINARY":
        return call.build(f"octet_length({value.sql})", t.INTEGER)
    return call.build(f"length({as_text(value).sql})", t.INTEGER)


@function("CONCAT")
def concat(call: Call) -> Value:
    """Join texts; one NULL makes the result NULL."""
    values = call.values()
    if values and all(value.type.kind == "BINARY" for value in values):
        return call.build(f"({' || '.join(value.sql for value in values)})", t.BINARY)
    texts = [as_text(value) for value in values]
    total = sum(value.type.length or t.MAX_TEXT for value in texts)
    return call.build(f"({' || '.join(value.sql for value in texts)})", t.text(total))


@function("CONCAT_WS")
def concat_ws(call: Call) -> Value:
    """Join texts with a separator; one NULL makes the result NULL."""
    separator, *rest = (as_text(value).sql for value in call.values())
    return call.build(f"({f' || {separator} || '.join(rest)})", t.TEXT)


@function("SUBSTR", "SUBSTRING", "MID")
def substring(call: Call) -> Value:
    """Cut a text out: a start of 0 counts as 1, a negative one counts from the end."""
    value = call.value(0)
    if value.type.kind != "BINARY":
        value = as_text(value)
    start = call.as_type(1, t.INTEGER)
    if isinstance(start.constant, int):
        begin = str(start.constant or 1)
    else:
        begin = f"CASE WHEN {start.sql} = 0 THEN 1 ELSE {start.sql} END"
    if len(call) > 2:
        count = call.as_type(2, t.INTEGER)
        sql = f"sf_substring({value.sql}, {begin}, {count.sql})"
    else:
        sql = f"substr({value.sql}, {begin})"
    return call.build(sql, value.type)


@function("LPAD", "RPAD")
def pad(call: Call) -> Value:
    """Fill a text up with spaces or another text."""
    text, count = call.as_type(0, t.TEXT), call.as_type(1, t.INTEGER)
    filler = call.as_type(2, t.TEXT).sql if len(call) > 2 else "' '"
    return call.build(f"{call.name.lower()}({text.sql}, CAST(greatest({count.sql}, 0) AS INTEGER), {filler})", t.TEXT)


@function("INITCAP")
def initcap(call: Call) -> Value:
    """Begin each word with a capital."""
    text = call.as_type(0, t.TEXT)
    if len(call) > 1:
        return call.build(f"sf_initcap_by({text.sql}, {call.as_type(1, t.TEXT).sql})", t.TEXT)
    return call.build(f"sf_initcap({text.sql})", t.TEXT)


@function("SHA2", "SHA2_HEX")
def sha2(call: Call) -> Value:
    """SHA-256; other digest sizes are refused."""
    if int(call.constant(1, 256)) != 256:
        raise unsupported("SHA2 with a digest size other than 256")
    return call.build(f"sha256({call.as_type(0, t.TEXT).sql})", t.text(64))


@function("LIKE", "ILIKE")
def like_function(call: Call) -> Value:
    """``LIKE(text, pattern, escape)``."""
    return like(call, call.value(0), call.value(1), call.name, str(call.constant(2)) if len(call) > 2 else None)


def like(call: Call, text: Value, pattern: Value, word: str, escape: str | None) -> Value:
    """Write LIKE or ILIKE."""
    suffix = "" if escape is None else f" ESCAPE {quote_text(escape)}"
    return call.build(f"({as_text(text).sql} {word} {as_text(pattern).sql}{suffix})", t.BOOLEAN)


@function("TO_CHAR", "TO_VARCHAR", "TRY_TO_CHAR")
def to_char(call: Call) -> Value:
    """Convert to text, by a format for dates, times, numbers and binaries."""
    value = call.value(0)
    if len(call) == 1:
        return cast(value, t.TEXT)
    from firnline_sandbox.translate.formats import format_number, format_time

    format_ = call.constant(1)
    if value.type.kind == "BINARY":
        word = {"HEX": "hex({0})", "BASE64": "to_base64({0})", "UTF-8": "decode({0})"}[str(format_).upper()]
        return call.build(word.format(value.sql), t.TEXT)
    if value.type.is_numeric:
        return call.build(format_number(value, str(format_)), t.TEXT)
    return call.build(format_time(value, str(format_)), t.TEXT)


@function("TO_BINARY", "TRY_TO_BINARY")
def to_binary(call: Call) -> Value:
    """Convert text to BINARY, from hexadecimal unless another format is given."""
    value = call.value(0)
    if value.type.kind == "BINARY":
        return value
    word = {"HEX": "unhex({0})", "BASE64": "from_base64({0})", "UTF-8": "encode({0})"}
    template = word.get(str(call.constant(1, "HEX")).upper())
    if template is None:
        raise invalid_argument(f"binary format '{call.constant(1)}'")
    return call.build(template.format(as_text(value).sql), t.BINARY)


@function("HASH")
def hash_(call: Call) -> Value:
    """Give a signed 64-bit hash; its values are the sandbox's own, the same in every run."""
    values = []
    for index, node in enumerate(call.nodes):
        star = star_of(node)
        if star is None:
            values.append(call.value(index))
        else:
            values += [output.value for output in expand_star(call.translation, node, star, call.scope)]
    parts = ", ".join(f"coalesce(CAST({value.sql} AS VARCHAR), chr(30))" for value in values)
    return call.build(f"sf_signed(hash(concat_ws(chr(31), {parts})))", t.number(19), nullable=False)


def constant_text(call: Call, index: int) -> str | None:
    """Give an argument's text if it is a constant."""
    value = call.value(index)
    return None if value.constant is ABSENT or value.constant is None else str(value.constant)


@function("BASE64_ENCODE", "HEX_ENCODE")
def encode(call: Call) -> Value:
    """Write bytes as text; those of a text are its UTF-8."""
    if len(call) != 1:
        raise unsupported(f"{call.name} with a second argument")
    value = call.value(0)
    data = value.sql if value.type.kind == "BINARY" else f"encode({as_text(value).sql})"
    return call.build(f"{'to_base64' if call.name == 'BASE64_ENCODE' else 'hex'}({data})", t.TEXT)
