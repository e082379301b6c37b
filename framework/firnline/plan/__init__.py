"""A checked configuration and the past → the plan, a frozen value."""

from firnline.plan.build import PlanOptions, build_plan
from firnline.plan.fingerprint import code_fingerprint
from firnline.plan.keys import key_of, key_parts

__all__ = [
    "PlanOptions",
    "build_plan",
    "code_fingerprint",
    "key_of",
    "key_parts",
]
