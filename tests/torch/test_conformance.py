"""The step keeps the contract: ports, records, failures that leave nothing, cancellation."""

from __future__ import annotations

from firnline.domain import Artifact, StepContext, Table
from firnline.testing import Case, conformance
from tests.torch.world import people


def rows_to_learn(context: StepContext) -> dict[str, Artifact]:
    """Make training and validation rows."""
    tables: dict[str, Artifact] = {}
    for seed, port in enumerate(("train", "valid")):
        name = context.table_name(port)
        context.session.create_dataframe(people(120, seed)).write.save_as_table(name)
        tables[port] = Table(name=name, rows=120)
    return tables


PARAMS = {
    "target": "LEAVES",
    "identifiers": ["ID"],
    "set_aside": ["PLAN", "AMOUNT"],
    "hidden": [8],
    "epochs": 2,
    "threads": 1,
    "device": "cpu",
}

test_kit = conformance("torch", cases={"train.torch": Case(params=PARAMS, inputs=rows_to_learn)})
