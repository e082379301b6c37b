"""The churn pipeline's model, exported and served: what clients are told is what the registry's model says in SQL."""

from __future__ import annotations

from pathlib import Path

import pytest

import firnline_sandbox
from tests.e2e.test_main_job import SCALE, firnline
from tests.onnx.serving import in_threads, records, serving


@pytest.mark.slow
def test_a_thousand_requests_are_answered_as_the_registered_model_scores(tmp_path: Path) -> None:
    firnline(tmp_path, "init")
    firnline(tmp_path, "run", "+export=onnx", *SCALE, "export.params.threshold=0.2")
    session = firnline_sandbox.session(str(next((tmp_path / ".firnline").glob("sandbox*"))))
    try:
        query = (
            "SELECT C.*, P.PREDICTION, P.PROBABILITY FROM CHURN_CURRENT_TABLE C "
            "JOIN CHURN_SCORE_PREDICTIONS P USING (CUSTOMER_ID)"
        )
        scored = session.sql(query).to_pandas()
    finally:
        session.close()
    assert len(scored) > 100
    with serving("CHURN_CHURNED", tmp_path) as server:
        names = [given["name"] for given in server.ask("GET", "/signature").json["inputs"]]
        rows = records(scored[names].astype(object))
        wanted = list(scored[["PREDICTION", "PROBABILITY"]].itertuples(index=False))

        def work(client_number: int) -> list[float]:
            client, apart = server.client(), []
            for number in range(client_number, 1_000, 8):
                place = number % len(rows)
                answer = client.predict(rows[place])
                assert answer.status == 200, answer.body
                assert answer.json["prediction"] == wanted[place].PREDICTION
                apart.append(abs(answer.json["probability"] - wanted[place].PROBABILITY))
            client.close()
            return apart

        apart = [distance for distances in in_threads(8, work) for distance in distances]
        assert len(apart) == 1_000
        assert max(apart) < 1e-5
        assert server.figure("firnline_rows_total") == 1_000
