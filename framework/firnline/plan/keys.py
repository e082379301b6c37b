"""The content key of a stage: what its output depends on, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firnline.domain import StepSpec, content_hash, new_attempt_id
from firnline.plan.fingerprint import code_fingerprint

KEY_LENGTH = 32


def key_parts(
    spec: StepSpec,
    *,
    params: Mapping[str, Any],
    platform_identity: str,
    inputs: Mapping[str, tuple[tuple[str, str], ...]],
    source_state: str | None,
) -> dict[str, str]:
    """Return the parts that make up a stage's key.

    Args:
        spec: the step.
        params: validated params as JSON data.
        platform_identity: of the platform on which its tables are; ignored by steps that use none and take no table.
        inputs: input port → (key, port) of each output that feeds it.
        source_state: for a source: the state of what it reads.
    """
    parts = {
        "step": f"{spec.id} {spec.version}",
        "code": code_fingerprint(spec),
        "params": content_hash(params)[:16],
    }
    if spec.platform:
        parts["platform"] = content_hash(platform_identity)[:16]
    for port, links in sorted(inputs.items()):
        parts[f"input:{port}"] = content_hash(links)[:16]
        if len(links) > 1:  # each by itself as well, to tell later which of them changed
            parts |= {f"input:{port}[{number}]": content_hash(link)[:16] for number, link in enumerate(links)}
    if source_state is not None:
        parts["source"] = content_hash(source_state)[:16]
    if not spec.reusable:
        parts["once"] = new_attempt_id()  # never equal, so that whatever takes from it runs again as well
    return parts


def key_of(parts: Mapping[str, str]) -> str:
    """Return the key that the parts make."""
    return content_hash(parts)[:KEY_LENGTH]
