"""DuckDB macros that translated SQL calls; the engine creates them on each connection."""

from __future__ import annotations

from typing import Final

from firnline_sandbox.errors import runtime_error_call

_DATE_FORMATS: Final = "['%m/%d/%Y', '%d-%b-%Y', '%a %b %d %H:%M:%S %z %Y', '%Y%m%d']"
_TIMESTAMP_FORMATS: Final = (
    "['%a, %d %b %Y %H:%M:%S', '%Y-%m-%dT%H:%M:%S.%f', '%Y-%m-%d %H:%M', '%Y-%m-%dT%H:%M', '%m/%d/%Y %H:%M:%S',"
    " '%a, %d %b %Y %H:%M:%S %z',"
    " '%a %b %d %H:%M:%S %z %Y', '%d-%b-%Y %H:%M:%S', '%Y-%m-%d %H:%M:%S %z', '%Y-%m-%d %H:%M:%S.%f %z',"
    " '%d-%b-%Y', '%m/%d/%Y']"
)
_ZONED_FORMATS: Final = (
    "['%a, %d %b %Y %H:%M:%S %z', '%a %b %d %H:%M:%S %z %Y', '%Y-%m-%d %H:%M:%S %z', '%Y-%m-%d %H:%M:%S.%f %z']"
)
_TRUE: Final = "('true', 't', 'yes', 'y', 'on', '1')"
_FALSE: Final = "('false', 'f', 'no', 'n', 'off', '0')"


def _checked(name: str, argument: str, attempt: str, errno: int, shown: str = "") -> list[tuple[str, str]]:
    """Pair a macro that gives NULL for what does not convert with one that raises."""
    failure = runtime_error_call(errno, shown or argument)
    return [
        (f"sf_try_{name}({argument})", attempt),
        (
            f"sf_{name}({argument})",
            f"CASE WHEN {argument} IS NULL THEN NULL ELSE coalesce(sf_try_{name}({argument}), {failure}) END",
        ),
    ]


_CONVERSIONS: Final = [
    *_checked("text_to_float", "x", "TRY_CAST(trim(x) AS DOUBLE)", 100038),
    *_checked(
        "text_to_boolean",
        "x",
        f"CASE WHEN lower(trim(x)) IN {_TRUE} THEN true WHEN lower(trim(x)) IN {_FALSE} THEN false END",
        100037,
    ),
    *_checked(
        "text_to_date",
        "x",
        "coalesce(TRY_CAST(x AS DATE), CASE WHEN regexp_full_match(x, '-?[0-9]+')"
        " THEN CAST(sf_number_to_timestamp(TRY_CAST(x AS BIGINT)) AS DATE)"
        f" ELSE CAST(try_strptime(x, {_DATE_FORMATS}) AS DATE) END)",
        100040,
    ),
    *_checked(
        "text_to_timestamp",
        "x",
        "coalesce(TRY_CAST(sf_wall_clock(x) AS TIMESTAMP), CASE WHEN regexp_full_match(x, '-?[0-9]+')"
        " THEN sf_number_to_timestamp(TRY_CAST(x AS BIGINT))"
        f" ELSE CAST(try_strptime(sf_wall_clock(x), {_TIMESTAMP_FORMATS}) AS TIMESTAMP) END)",
        100035,
    ),
    *_checked(
        "text_to_timestamp_tz",
        "x",
        "CASE WHEN regexp_full_match(x, '-?[0-9]+') THEN timezone('UTC', sf_number_to_timestamp(TRY_CAST(x AS BIGINT)))"
        f" ELSE coalesce(TRY_CAST(x AS TIMESTAMPTZ), try_strptime(x, {_ZONED_FORMATS}),"
        " CAST(sf_try_text_to_timestamp(x) AS TIMESTAMPTZ)) END",
        100035,
    ),
    *_checked(
        "text_to_time",
        "x",
        "CASE WHEN regexp_full_match(x, '[0-9]+') THEN CAST(sf_number_to_timestamp(TRY_CAST(x AS BIGINT)) AS TIME)"
        " ELSE coalesce(TRY_CAST(x AS TIME), CAST(try_strptime(x, ['%H:%M', '%I:%M %p', '%I:%M:%S %p']) AS TIME)) END",
        100108,
    ),
    *_checked("variant_to_object", "v", "CASE WHEN json_type(v) = 'OBJECT' THEN v END", 100071),
]

# A VARIANT that holds a date, a time, a timestamp or a binary is a JSON string that starts with a mark of its type.
_SCALARS: Final = [
    ("sf_marked(kind, x)", "to_json(chr(1) || kind || x)"),
    ("sf_scalar_mark(v)", "CASE WHEN starts_with(v->>'$', chr(1)) THEN substr(v->>'$', 2, 1) ELSE '' END"),
    (
        "sf_json_text(v)",
        (
            "CASE json_type(v) WHEN 'VARCHAR' THEN CASE WHEN starts_with(v->>'$', chr(1)) THEN substr(v->>'$', 3)"
            " ELSE v->>'$' END WHEN 'DOUBLE' THEN CASE WHEN contains(lower(CAST(v AS VARCHAR)), 'e')"
            " THEN sf_float_to_text(TRY_CAST(v->>'$' AS DOUBLE)) ELSE v->>'$' END"
            " WHEN 'VARCHAR' THEN v->>'$' ELSE sf_without_marks(v->>'$') END"
        ),
    ),
    (
        "sf_without_marks(x)",
        "CASE WHEN contains(x, '\\u0001') THEN regexp_replace(x, '\"\\\\u0001[a-z]', '\"', 'g') ELSE x END",
    ),
]

_DEEPEST_FLATTEN: Final = 12
# FLATTEN with RECURSIVE: macros cannot call themselves, so there is one for each depth.
_RECURSIVE_FLATTEN: Final = [
    (
        "sf_flatten_0(x, p)",
        f"CASE WHEN json_type(x) IN ('ARRAY', 'OBJECT') THEN {runtime_error_call(100183)} ELSE sf_flatten(x, p) END",
    ),
    *(
        (
            f"sf_flatten_{depth}(x, p)",
            (
                "flatten(list_transform(sf_flatten(x, p),"
                f" lambda r: list_concat([r], coalesce(sf_flatten_{depth - 1}(r.v, r.p), []))))"
            ),
        )
        for depth in range(1, _DEEPEST_FLATTEN + 1)
    ),
    ("sf_flatten_all(x, p)", f"sf_flatten_{_DEEPEST_FLATTEN}(x, p)"),
]

# Elements are compared and kept in JSON's shortest form.
_JSON: Final = [
    # Snowflake reads keys without quotes, too.
    ("sf_relaxed_json(x)", "regexp_replace(x, '([{,]\\s*)([A-Za-z_]\\w*)(\\s*:)', '\\1\"\\2\"\\3', 'g')"),
    (
        "sf_try_parse_json(x)",
        (
            "CASE WHEN trim(x) = '' THEN NULL WHEN json_valid(x) THEN CAST(x AS JSON)"
            " WHEN json_valid(sf_relaxed_json(x)) THEN CAST(sf_relaxed_json(x) AS JSON) END"
        ),
    ),
    (
        "sf_parse_json(x)",
        (
            "CASE WHEN trim(x) = '' THEN NULL WHEN json_valid(x) THEN CAST(x AS JSON)"
            " WHEN json_valid(sf_relaxed_json(x)) THEN CAST(sf_relaxed_json(x) AS JSON)"
            f" WHEN x IS NOT NULL THEN {runtime_error_call(100069, 'x')} END"
        ),
    ),
    (
        "sf_path_key(p, k)",
        (
            "p || CASE WHEN regexp_full_match(k, '[A-Za-z_][A-Za-z0-9_]*')"
            " THEN CASE WHEN p = '' THEN '' ELSE '.' END || k ELSE '[''' || k || ''']' END"
        ),
    ),
    (
        "sf_flatten(x, p)",
        (
            "CASE json_type(x) WHEN 'ARRAY' THEN list_transform(CAST(json_extract(x, '$[*]') AS JSON[]), lambda e, i:"
            " {'k': CAST(NULL AS VARCHAR), 'i': CAST(i - 1 AS BIGINT), 'p': p || '[' || (i - 1) || ']', 'v': e,"
            " 't': x})"
            " WHEN 'OBJECT' THEN list_transform(json_keys(x), lambda k:"
            " {'k': k, 'i': CAST(NULL AS BIGINT), 'p': sf_path_key(p, k), 'v': sf_get_key(x, k), 't': x}) END"
        ),
    ),
    *_RECURSIVE_FLATTEN,
    (
        "sf_or_nothing(l)",
        (
            "CASE WHEN coalesce(len(l), 0) = 0 THEN [{'k': CAST(NULL AS VARCHAR), 'i': CAST(NULL AS BIGINT),"
            " 'p': CAST(NULL AS VARCHAR), 'v': CAST(NULL AS JSON), 't': CAST(NULL AS JSON)}] ELSE l END"
        ),
    ),
    ("sf_get_key(v, k)", "json_extract(v, '$.\"' || replace(k, '\"', '\\\\\"') || '\"')"),
    ("sf_json_path(p)", "CASE WHEN starts_with(p, '[') THEN '$' || p ELSE '$.' || p END"),
    (
        "sf_get_ignore_case(v, k)",
        (
            "coalesce(sf_get_key(v, k), sf_get_key(v, list_extract("
            "list_filter(json_keys(v), lambda e: lower(e) = lower(k)), 1)))"
        ),
    ),
    (
        "sf_join(l, d)",
        "CASE WHEN len(l) = 0 THEN '' ELSE list_reduce(l, lambda a, b: a || d || b) END",
    ),
    (
        "sf_digest(l)",
        (
            "CAST('{\"state\":[' || coalesce(array_to_string(list_transform(list_sort(list_filter(l,"
            " lambda e: e IS NOT NULL)),"
            " lambda e: format('{:.15e}', e) || ',1.000000000000000e+00'), ','), '')"
            ' || \'],"type":"tdigest","version":1}\' AS JSON)'
        ),
    ),
    (
        "sf_digest_values(s)",
        "list_filter(CAST(json_extract(s, '$.state[*]') AS DOUBLE[]), lambda e, i: i % 2 = 1)",
    ),
    ("sf_present(v)", "CASE WHEN json_type(v) <> 'NULL' THEN v END"),
    ("sf_elements(a)", "list_transform(CAST(json_extract(a, '$[*]') AS JSON[]), lambda e: json(e))"),
    ("sf_array(l)", "CAST('[' || array_to_string(l, ',') || ']' AS JSON)"),
    (
        "sf_array_flatten(a)",
        (
            "CASE WHEN len(list_filter(sf_elements(a), lambda e: e = 'null')) > 0 THEN NULL ELSE"
            " sf_array(flatten(list_transform(sf_elements(a), lambda e: sf_elements(e)))) END"
        ),
    ),
    (
        "sf_list_to_array(l)",
        "CAST('[' || coalesce(array_to_string(list_filter(l, lambda e: e IS NOT NULL), ','), '') || ']' AS JSON)",
    ),
    (
        "sf_pairs_to_object(l)",
        (
            "CAST('{' || coalesce(array_to_string(list_transform(list_filter(l,"
            " lambda e: e IS NOT NULL AND e[1] IS NOT NULL AND e[2] IS NOT NULL),"
            " lambda e: CAST(to_json(e[1]) AS VARCHAR) || ':' || e[2]), ','), '') || '}' AS JSON)"
        ),
    ),
    (
        "sf_entries(o)",
        "list_transform(json_keys(o), lambda k: {'k': k, 'v': sf_get_key(o, k)})",
    ),
    (
        "sf_entries_to_object(l)",
        (
            "CAST('{' || array_to_string(list_transform(l, lambda e: CAST(to_json(e.k) AS VARCHAR) || ':' || e.v), ',')"
            " || '}' AS JSON)"
        ),
    ),
    (
        "sf_object_insert(o, k, x)",
        (
            "CASE WHEN x IS NULL THEN o ELSE sf_entries_to_object(list_append(list_filter(sf_entries(o),"
            " lambda e: e.k <> k),"
            " {'k': k, 'v': x})) END"
        ),
    ),
    ("sf_list_distinct(l)", "list_filter(l, lambda e, i: list_position(l, e) = i)"),
    (
        "sf_array_slice(a, b, e)",
        (
            "sf_array(list_slice(sf_elements(a), CASE WHEN b < 0 THEN json_array_length(a) + b ELSE b END + 1,"
            " CASE WHEN e < 0 THEN json_array_length(a) + e ELSE e END))"
        ),
    ),
    (
        "sf_array_insert(a, p, x)",
        (
            "sf_array(list_concat(list_append(list_slice(sf_elements(a), 1, p), json(x)),"
            " list_slice(sf_elements(a), p + 1, json_array_length(a))))"
        ),
    ),
    ("sf_array_remove_at(a, p)", "sf_array(list_filter(sf_elements(a), lambda e, i: i <> p + 1))"),
    (
        "sf_array_sort(a, d)",
        (
            "sf_array(list_transform(list_sort(list_transform(sf_elements(a),"
            " lambda e: {'n': d * TRY_CAST(e AS DOUBLE),"
            " 'e': e}), CASE WHEN d = 1 THEN 'ASC' ELSE 'ASC' END, 'NULLS LAST'), lambda s: s.e))"
        ),
    ),
    (
        "sf_array_extreme(a, d)",
        (
            "sf_present(json_extract(sf_array_sort(sf_array("
            "list_filter(sf_elements(a), lambda e: e <> 'null')), d), '$[0]'))"
        ),
    ),
    (
        "sf_typeof(v)",
        (
            "CASE json_type(v) WHEN 'VARCHAR' THEN CASE sf_scalar_mark(v) WHEN 'd' THEN 'DATE' WHEN 't' THEN 'TIME'"
            " WHEN 'n' THEN 'TIMESTAMP_NTZ' WHEN 'l' THEN 'TIMESTAMP_LTZ' WHEN 'z' THEN 'TIMESTAMP_TZ'"
            " WHEN 'b' THEN 'BINARY' ELSE 'VARCHAR' END WHEN 'BOOLEAN' THEN 'BOOLEAN' WHEN 'NULL' THEN 'NULL_VALUE'"
            " WHEN 'ARRAY' THEN 'ARRAY' WHEN 'OBJECT' THEN 'OBJECT' WHEN 'DOUBLE' THEN"
            " CASE WHEN contains(lower(CAST(v AS VARCHAR)), 'e') THEN 'DOUBLE' ELSE 'DECIMAL' END"
            " ELSE CASE WHEN v IS NULL THEN NULL ELSE 'INTEGER' END END"
        ),
    ),
]

_TEXT: Final = [
    ("sf_replace(x, a, b)", "CASE WHEN a = '' THEN x ELSE replace(x, a, b) END"),
    (
        "sf_position(a, x, p)",
        "CASE WHEN strpos(substr(x, p), a) = 0 THEN 0 ELSE strpos(substr(x, p), a) + p - 1 END",
    ),
    ("sf_split_part(x, d, n)", "split_part(x, d, CASE WHEN n = 0 THEN 1 ELSE n END)"),
    ("sf_split(x, d)", "to_json(CASE WHEN d = '' THEN [x] ELSE string_split(x, d) END)"),
    (
        "sf_strtok_list(x, d)",
        "list_filter(string_split(translate(x, d, repeat(d[1], length(d))), d[1]), lambda e: e <> '')",
    ),
    ("sf_strtok(x, d, n)", "list_extract(sf_strtok_list(x, d), n)"),
    ("sf_strtok_array(x, d)", "to_json(sf_strtok_list(x, d))"),
    (
        "sf_substring(x, b, n)",
        "CASE WHEN n <= 0 AND x IS NOT NULL AND b IS NOT NULL THEN substr(x, 1, 0) ELSE substr(x, b, n) END",
    ),
    # The code of each letter; of neighbours with one code the first counts, and H and W do not part neighbours.
    (
        "sf_soundex_codes(x)",
        (
            "list_reduce(['1', '2', '3', '4', '5', '6'], lambda s, d: regexp_replace(s, d || '+', d, 'g'),"
            " translate(regexp_replace(lower(x), '[^a-gi-vx-z]', '', 'g'), 'abcdefgijklmnopqrstuvxyz',"
            " '012301202245501262301202'))"
        ),
    ),
    (
        "sf_soundex(x)",
        (
            "CASE WHEN x = '' THEN '' ELSE x[1] || rpad(left(replace(substr(sf_soundex_codes(x),"
            " CASE WHEN lower(x[1]) IN ('h', 'w') THEN 1 ELSE 2 END), '0', ''), 3), 3, '0') END"
        ),
    ),
    (
        "sf_initcap_by(x, d)",
        (
            "array_to_string(list_transform(range(1, length(x) + 1), lambda i: CASE WHEN i = 1 OR contains(d, x[i - 1])"
            " THEN upper(x[i]) ELSE lower(x[i]) END), '')"
        ),
    ),
    (
        "sf_initcap(x)",
        (
            "array_to_string(list_transform(regexp_extract_all(lower(x), '[^\\pL\\pN]+|[\\pL\\pN]+'),"
            " lambda w: upper(w[1]) || substr(w, 2)), '')"
        ),
    ),
    (
        "sf_replace_match(parts, found, n, p, r, o)",
        (
            "array_to_string(list_transform(parts, lambda part, i: part || CASE WHEN i > len(found) THEN ''"
            " WHEN i = n THEN regexp_replace(found[i], p, r, o) ELSE found[i] END), '')"
        ),
    ),
    ("sf_signed(h)", "CAST(CAST(h AS HUGEINT) - 9223372036854775808 AS BIGINT)"),
    (
        "sf_random_text(n, g)",
        (
            "array_to_string(list_transform(range(n), lambda i: substr("
            "'0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz',"
            " 1 + CAST(hash(g, i) % 62 AS BIGINT), 1)), '')"
        ),
    ),
]

_MONTHS_BETWEEN: Final = (
    "CASE WHEN day(a) = day(b) OR (CAST(a AS DATE) = last_day(a) AND CAST(b AS DATE) = last_day(b))"
    " THEN (year(a) - year(b)) * 12 + month(a) - month(b)"
    " ELSE (year(a) - year(b)) * 12 + month(a) - month(b) + (day(a) - day(b)"
    " + (epoch(CAST(a AS TIMESTAMP)) % 86400 - epoch(CAST(b AS TIMESTAMP)) % 86400) / 86400) / 31.0 END"
)

# A text by a format that each row brings: each part stands at its place in the format, digits filled up with zeros.
_PLACES: Final = "replace(replace(regexp_replace(upper(f), 'FF[0-9]?', 'FF'), 'HH24', 'HH'), 'MON', 'BBB')"


def _part(letters: str, default: str, width: int) -> str:
    return f"CASE WHEN contains(p, '{letters}') THEN substr(x, strpos(p, '{letters}'), {width}) ELSE '{default}' END"


_TIME_BY_PLACES: Final = (
    f"TRY_CAST({_part('YYYY', '1970', 4)} || '-' || CASE WHEN contains(p, 'BBB') THEN lpad(CAST("
    "list_position(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],"
    f" lower(substr(x, strpos(p, 'BBB'), 3))) AS VARCHAR), 2, '0') ELSE {_part('MM', '01', 2)} END"
    f" || '-' || {_part('DD', '01', 2)} || ' ' || {_part('HH', '00', 2)} || ':' || {_part('MI', '00', 2)}"
    f" || ':' || {_part('SS', '00', 2)} || '.' || CASE WHEN contains(p, 'FF') THEN"
    " regexp_extract(substr(x, strpos(p, 'FF')), '^[0-9]+') ELSE '0' END AS TIMESTAMP)"
)

_DEFINITIONS: Final = [
    # Large numbers of seconds are milli-, micro- or nanoseconds, as Snowflake decides by the same thresholds.
    (
        "sf_number_to_timestamp(n)",
        (
            "make_timestamp(CAST(CASE WHEN abs(n) < 31536000000 THEN CAST(n AS BIGINT) * 1000000"
            " WHEN abs(n) < 31536000000000 THEN CAST(n AS BIGINT) * 1000"
            " WHEN abs(n) < 31536000000000000 THEN n ELSE n // 1000 END AS BIGINT))"
        ),
    ),
    # What a text says without its offset from UTC.
    ("sf_wall_clock(x)", "regexp_replace(x, '(:\\d\\d(?:\\.\\d+)?)\\s*(?:Z|[+-]\\d\\d:?\\d\\d)$', '\\1')"),
    ("sf_time_at_places(x, p)", f"CASE WHEN NOT regexp_matches(p, 'AM|PM|HH12|TZ|DY') THEN {_TIME_BY_PLACES} END"),
    ("sf_time_by(x, f)", f"sf_time_at_places(x, {_PLACES})"),
    ("sf_round_half_up(x)", "CASE WHEN x < 0 THEN ceil(x - 0.5) ELSE floor(x + 0.5) END"),
    (
        "sf_fit_text(x, n)",
        f"CASE WHEN length(x) > n THEN {runtime_error_call(100078, 'x')} ELSE x END",
    ),
    ("sf_try_fit_text(x, n)", "CASE WHEN length(x) > n THEN NULL ELSE x END"),
    (
        "sf_float_to_text(x)",
        (
            "CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'inf' ELSE '-inf' END"
            " WHEN x = trunc(x) AND abs(x) < 1e15 THEN CAST(CAST(x AS BIGINT) AS VARCHAR) ELSE CAST(x AS VARCHAR) END"
        ),
    ),
    (
        "sf_float_to_variant(x)",
        (
            "CASE WHEN isnan(x) OR isinf(x) THEN to_json(sf_float_to_text(x))"
            " ELSE CAST(format('{:.15e}', x) AS JSON) END"
        ),
    ),
    ("sf_sqrt(x)", f"sqrt(CASE WHEN x < 0 THEN {runtime_error_call(100132, 'sf_float_to_text(x)')} ELSE x END)"),
    ("sf_time_to_text(x)", "strftime(DATE '2000-01-01' + x, '%H:%M:%S')"),
    ("sf_timestamp_to_text(x)", "strftime(x, '%Y-%m-%d %H:%M:%S.%g')"),
    ("sf_timestamp_tz_to_text(x)", "strftime(x, '%Y-%m-%d %H:%M:%S.%g ') || left(strftime(x, '%z') || '00', 5)"),
    (
        "sf_variant_number_text(v)",
        "CASE json_type(v) WHEN 'BOOLEAN' THEN CASE v->>'$' WHEN 'true' THEN '1' ELSE '0' END ELSE sf_json_text(v) END",
    ),
    (
        "sf_variant_to_array(v)",
        (
            "CASE WHEN v IS NULL OR json_type(v) = 'NULL' THEN NULL WHEN json_type(v) = 'ARRAY' THEN v"
            " ELSE json_array(v) END"
        ),
    ),
    ("sf_array_of(x)", "CASE WHEN x IS NULL THEN NULL ELSE json_array(x) END"),
    *_SCALARS,
    *_JSON,
    *_TEXT,
    ("sf_months_between(a, b)", _MONTHS_BETWEEN),
    ("sf_divide(a, b)", f"a / CASE WHEN b = 0 THEN {runtime_error_call(100051)} ELSE b END"),
]


MACROS: Final[tuple[str, ...]] = tuple(
    f"CREATE OR REPLACE TEMP MACRO {head} AS {body}" for head, body in [*_DEFINITIONS, *_CONVERSIONS]
)
