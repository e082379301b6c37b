from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

TEST = """
from firnline.testing import conformance

test_it = conformance("noisy", module="noisy", expected_failures={expected})
"""
PLUGIN = """
from firnline.domain import Metrics, Params, StepContext, step
from firnline.hooks import hookimpl

print("hello")

@step("noisy.count")
def count(context: StepContext, params: Params) -> Metrics:
    '''Count.'''
    return Metrics(values={"count": 1.0})

@hookimpl
def firnline_steps():
    return [count]
"""


def run(pytester: pytest.Pytester, expected: dict[str, str]) -> pytest.RunResult:
    pytester.makepyfile(noisy=PLUGIN, test_noisy=TEST.replace("{expected}", repr(expected)))
    return pytester.runpytest_subprocess("-p", "no:cacheprovider", "-q")


def test_an_expected_failure_is_expected(pytester: pytest.Pytester) -> None:
    result = run(pytester, {"import_is_silent": "it says hello"})
    outcomes = result.parseoutcomes()
    assert outcomes["xfailed"] == 1
    assert "failed" not in outcomes


def test_without_it_the_failure_says_what_to_change(pytester: pytest.Pytester) -> None:
    result = run(pytester, {})
    result.stdout.fnmatch_lines(["*importing noisy prints 'hello*"])
    assert result.parseoutcomes()["failed"] == 1


def test_an_expected_failure_that_passes_is_a_failure(pytester: pytest.Pytester) -> None:
    result = run(pytester, {"import_is_silent": "it says hello", "import_is_light": "it was heavy once"})
    assert result.parseoutcomes()["failed"] == 1
