from __future__ import annotations

from firnline.testing import conformance

test_conformance = conformance("costguard")
