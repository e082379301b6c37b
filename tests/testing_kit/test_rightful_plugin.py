from __future__ import annotations

from firnline.testing import Case, conformance
from tests.testing_kit.rightful import write_source, write_words

CASES = {
    "words.count": Case(params={"unit": "lines"}, inputs=write_source),
    "words.keep": Case(inputs=write_words),
}

test_a_plugin_that_does_everything_right = conformance("rightful", module="tests.testing_kit.rightful", cases=CASES)
