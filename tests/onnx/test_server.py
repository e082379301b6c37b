"""``firnline serve`` as clients meet it: a real process, real connections."""

from __future__ import annotations

import io
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPException
from pathlib import Path
from typing import Any, Self

import jsonschema
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.onnx.serving import ARROW, Server, export_folder, in_threads, records, serving, wait_for
from tests.onnx.world import KINDS, customers, labels

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning", "ignore::DeprecationWarning")
FRAME = customers(300, seed=5)


def fitted(task: Any = "binary", strength: float = 1.0) -> Any:
    """Fit what the trainer fits."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline

    from tests.onnx.test_convert import front

    frame = customers(600)
    columns = front(frame, task, scaled=True, one_hot_limit=5)
    model = LogisticRegression(max_iter=500, C=strength)
    return Pipeline([("columns", columns), ("last", model)]).fit(frame, labels(frame, task))


@pytest.fixture(scope="module")
def model() -> Any:
    """Give a fitted model of two classes."""
    return fitted()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for exports."""
    return Path(tmp_path_factory.mktemp("serve"))


@pytest.fixture(scope="module")
def server(model: Any, folder: Path) -> Iterator[Server]:
    """Give a server with its default settings, but for small limits of a request."""
    export = export_folder(folder / "export", model, KINDS)
    with serving(export, folder, "--request-rows", "500", "--request-bytes", "200000") as found:
        yield found


def native(model: Any, frame: pd.DataFrame = FRAME) -> np.ndarray[Any, Any]:
    """Return the positive class's probabilities as the model itself says."""
    return np.asarray(model.predict_proba(frame)[:, 1])


def arrow(table: pa.Table) -> bytes:
    """Return a table as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def test_one_row_many_rows_and_arrow_say_what_the_model_says(server: Server, model: Any) -> None:
    wanted = native(model)
    one = server.ask("POST", "/predict", records(FRAME)[0])
    assert one.status == 200
    assert one.headers["x-model-version"] == "V1"
    assert one.json == {"prediction": "yes" if wanted[0] >= 0.5 else "no", "probability": pytest.approx(wanted[0])}
    many = server.ask("POST", "/predict", records(FRAME)).json
    assert [row["probability"] for row in many] == pytest.approx(list(wanted))
    assert [row["prediction"] for row in many] == ["yes" if value >= 0.5 else "no" for value in wanted]
    answer = server.ask("POST", "/predict", arrow(pa.Table.from_pandas(FRAME, preserve_index=False)), ARROW)
    assert answer.headers["content-type"] == ARROW
    with pa.ipc.open_stream(answer.body) as stream:
        table = stream.read_all()
    assert table.column("probability").to_pylist() == pytest.approx(list(wanted))
    assert table.column("prediction").to_pylist() == [row["prediction"] for row in many]


def test_arrow_of_other_types_is_converted_without_loss_or_refused(server: Server, model: Any) -> None:
    frame = FRAME.dropna().head(5)
    table = pa.table(
        {
            "AGE": pa.array(frame["AGE"].astype(int), pa.int32()),
            "SPEND": pa.array(frame["SPEND"]),
            "TICKETS": pa.array(frame["TICKETS"], pa.float32()),
            "PLAN": pa.array(frame["PLAN"]).dictionary_encode(),
            "CITY": pa.array(frame["CITY"], pa.large_string()),
        }
    )
    answer = server.ask("POST", "/predict", arrow(table), ARROW)
    with pa.ipc.open_stream(answer.body) as stream:
        assert stream.read_all().column("probability").to_pylist() == pytest.approx(list(native(model, frame)))
    wrong = table.set_column(0, "AGE", pa.array(["old"] * 5)).rename_columns(
        ["AGE", "SPEND", "TICKETS", "PLAN", "TOWN"]
    )
    refused = server.ask("POST", "/predict", arrow(wrong), ARROW)
    assert refused.status == 422
    assert {problem["field"] for problem in refused.json["problems"]} == {"AGE", "TOWN", "CITY"}
    assert server.ask("POST", "/predict", b"no arrow", ARROW).status == 422
    assert server.ask("POST", "/predict", arrow(table.slice(0, 0)), ARROW).status == 422


def test_every_field_that_is_wrong_is_told(server: Server) -> None:
    good = records(FRAME.dropna())[0]
    bad = {name: value for name, value in good.items() if name != "CITY"} | {"AGE": "old", "PLAN": 3, "AEG": 1}
    refused = server.ask("POST", "/predict", [good, bad])
    assert refused.status == 422
    told = {(problem["row"], problem["field"]): problem for problem in refused.json["problems"]}
    assert set(told) == {(1, "AGE"), (1, "PLAN"), (1, "CITY"), (1, "AEG")}
    assert told[1, "AGE"]["value"] == "old"
    assert told[1, "CITY"]["message"] == "Field required"
    assert told[1, "AEG"]["message"] == "the model has no such input"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"", 422, "Invalid JSON"),
        (b"{not json", 422, "Invalid JSON"),
        (b"[]", 422, "no row"),
        (b'"text"', 422, "valid array"),
        (b"[1]", 422, "an object"),
        (b'{"AGE": NaN}', 422, "finite number"),
        (b"\xff\xfe", 422, "Invalid JSON"),
        (b" " * 300_000, 413, "200,000 bytes"),
        ([records(FRAME)[0]] * 501, 413, "500 rows"),
        ({**records(FRAME.dropna())[0], "PLAN": "\u2400"}, 422, "send null"),
    ],
)
def test_bad_requests_are_refused(server: Server, body: Any, status: int, message: str) -> None:
    answer = server.ask("POST", "/predict", body)
    assert answer.status == status
    assert message in answer.body.decode()


def test_other_content_types_and_methods_are_refused(server: Server) -> None:
    assert server.ask("POST", "/predict", b"AGE\n1\n", "text/csv").status == 415
    assert server.ask("GET", "/predict").status == 405
    assert server.ask("GET", "/nothing").status == 404


def test_the_documentation_has_the_models_own_inputs(server: Server) -> None:
    document = server.ask("GET", "/openapi.json").json
    row = document["components"]["schemas"]["Row"]
    assert list(row["properties"]) == list(KINDS)
    assert row["required"] == list(KINDS)
    content = document["paths"]["/predict"]["post"]["requestBody"]["content"]
    jsonschema.validate(content["application/json"]["example"], row)
    jsonschema.validate(records(FRAME)[0], row)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**records(FRAME)[0], "AGE": "old"}, row)
    prediction = document["components"]["schemas"]["Prediction"]
    jsonschema.validate(server.ask("POST", "/predict", records(FRAME)[0]).json, prediction)
    assert server.ask("GET", "/signature").json["version"] == "V1"


def test_health_and_metrics(server: Server) -> None:
    assert server.ask("GET", "/health").json == {"status": "alive"}
    assert server.ask("GET", "/ready").json == {"status": "ready", "model_version": "V1"}
    assert server.ask("GET", "/ping").status == 200
    assert server.ask("POST", "/invocations", records(FRAME)[0]).status == 200
    name = 'firnline_requests_total{status="200"}'
    before, rows = server.figure(name), server.figure("firnline_rows_total")
    server.ask("POST", "/predict", records(FRAME)[:7])
    assert server.figure(name) == before + 1
    assert server.figure("firnline_rows_total") == rows + 7


def test_many_clients_at_once_get_their_own_answers(server: Server, model: Any) -> None:
    wanted, rows = native(model), records(FRAME)

    def work(number: int) -> bool:
        client = server.client()
        for place in range(number, len(rows), 16):
            answer = client.predict(rows[place])
            if answer.status != 200 or abs(answer.json["probability"] - wanted[place]) > 1e-9:
                return False
        client.close()
        return True

    batches = server.figure("firnline_batch_rows_count")
    assert in_threads(16, work) == [True] * 16
    together = server.figure("firnline_batch_rows_count") - batches
    assert together <= len(rows)


def test_requests_that_wait_are_answered_together(model: Any, folder: Path) -> None:
    export = export_folder(folder / "together", model, KINDS)
    rows, wanted = records(FRAME), native(model)
    with serving(export, folder, "--batch-wait-ms", "100") as server:
        answers = in_threads(20, lambda number: server.ask("POST", "/predict", rows[number]))
        assert [answer.json["probability"] for answer in answers] == pytest.approx(list(wanted[:20]))
        assert server.figure("firnline_batch_rows_count") < 10


def test_more_than_can_wait_are_turned_away_and_the_others_answered(model: Any, folder: Path) -> None:
    export = export_folder(folder / "busy", model, KINDS)
    rows = records(FRAME)[:5]
    with serving(export, folder, "--queue-rows", "20", "--batch-wait-ms", "400") as server:
        answers = in_threads(30, lambda _: server.ask("POST", "/predict", rows))
        status = [answer.status for answer in answers]
        assert set(status) == {200, 429}
        assert status.count(200) >= 4
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 429)
        assert server.ask("POST", "/predict", rows).status == 200
        assert server.figure('firnline_requests_total{status="429"}') == status.count(429)


class Load:
    """Clients that ask without a pause, until told to stop."""

    def __init__(self, server: Server, clients: int) -> None:
        self.answers: list[tuple[int, str, float]] = []
        self.failures: list[Exception] = []
        self._stop = threading.Event()
        self._server = server
        self._row = records(FRAME)[0]
        self._threads = [threading.Thread(target=self._work) for _ in range(clients)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        client = self._server.client()
        while not self._stop.is_set():
            try:
                answer = client.predict(self._row)
                version = answer.headers.get("x-model-version", "")
                self.answers.append((answer.status, version, answer.json.get("probability", -1.0)))
            except (OSError, HTTPException, ValueError) as error:
                self.failures.append(error)
                return


@pytest.mark.parametrize("how", ["the folder changes", "SIGHUP"])
def test_a_new_model_takes_over_without_a_dropped_request(model: Any, folder: Path, how: str) -> None:
    """The folder is a link that is moved at once, as deployments do it."""
    other = fitted(strength=0.01)
    stem = how.replace(" ", "-")
    first = export_folder(folder / f"{stem}-1", model, KINDS, version="V1")
    second = export_folder(folder / f"{stem}-2", other, KINDS, version="V2")
    link = folder / f"{stem}-current"
    link.symlink_to(first)
    seconds = "0.2" if how == "the folder changes" else "0"
    with serving(link, folder, "--reload-seconds", seconds) as server, Load(server, 4) as load:
        wait_for(lambda: len(load.answers) > 50)
        moved = folder / f"{stem}-next"
        moved.symlink_to(second)
        moved.rename(link)
        if how == "SIGHUP":
            server.process.send_signal(signal.SIGHUP)
        wait_for(lambda: load.answers[-1][1] == "V2")
        after = len(load.answers)
        wait_for(lambda: len(load.answers) > after + 50)
    assert load.failures == []
    assert {status for status, _, _ in load.answers} == {200}
    for version, asked in (("V1", model), ("V2", other)):
        said = [probability for _, told, probability in load.answers if told == version]
        assert said == pytest.approx([native(asked)[0]] * len(said))


def test_a_broken_model_changes_nothing(model: Any, folder: Path) -> None:
    export = export_folder(folder / "broken", model, KINDS)
    content = (export / "model.onnx").read_bytes()
    other = export_folder(folder / "broken-other", model, KINDS, version="V2")
    with serving(export, folder, "--reload-seconds", "0.1") as server:
        (export / "model.onnx").write_bytes(content[:1_000])
        wait_for(lambda: server.figure('firnline_reloads_total{outcome="failed"}') >= 1)
        assert server.ask("POST", "/predict", records(FRAME)[0]).status == 200
        # Of two files, one is new already: not taken until both are.
        failed = server.figure('firnline_reloads_total{outcome="failed"}')
        (export / "model.onnx").write_bytes((other / "model.onnx").read_bytes())
        wait_for(lambda: server.figure('firnline_reloads_total{outcome="failed"}') > failed)
        assert server.ask("GET", "/ready").json["model_version"] == "V1"
        (export / "signature.json").write_bytes((other / "signature.json").read_bytes())
        wait_for(lambda: server.ask("GET", "/ready").json["model_version"] == "V2")
        assert "version V1 goes on" in server.errors.read_text()
        assert server.stop() == 0


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_what_was_asked_is_answered_before_the_end(model: Any, folder: Path, how: signal.Signals, code: int) -> None:
    export = export_folder(folder / f"drain-{how.name}", model, KINDS)
    with serving(export, folder, "--batch-wait-ms", "800") as server:
        answers: list[Any] = []
        row = records(FRAME)[0]
        thread = threading.Thread(
            target=lambda: answers.extend(in_threads(12, lambda _: server.ask("POST", "/predict", row)))
        )
        thread.start()
        wait_for(lambda: server.figure("firnline_waiting_rows") >= 12)
        assert server.stop(how) == code
        thread.join()
        assert [getattr(answer, "status", answer) for answer in answers] == [200] * 12
        with pytest.raises(ConnectionRefusedError):
            server.ask("GET", "/health")


def test_the_request_log_is_read_by_the_platform_and_the_monitor(model: Any, folder: Path) -> None:
    import firnline_sandbox
    from firnline.testing import step_context
    from firnline_evidently import monitor
    from firnline_evidently.params import MonitorParams
    from tests.evidently.conftest import SCHEMA, store
    from tests.snowpark.churn_world import World

    export = export_folder(folder / "logged", model, KINDS)
    log = folder / "log"
    with serving(export, folder, "--log-folder", str(log), "--log-rows", "200") as server:
        for start in range(0, 250, 50):
            server.ask("POST", "/predict", records(FRAME)[start : start + 50])
        wait_for(lambda: list(log.glob("*.parquet")))
        server.ask("POST", "/predict", records(FRAME)[250:])
        assert server.stop() == 0
    files = sorted(log.glob("*.parquet"))
    assert not list(log.glob("*.unfinished"))
    assert len(files) == 2
    table = pa.concat_tables([parquet.read_table(file) for file in files])
    assert table.num_rows == 300
    assert table.column_names == [*KINDS, "PREDICTION", "PROBABILITY", "MODEL_VERSION", "REQUESTED_AT"]
    assert sum(table.column(name).null_count for name in KINDS) == int(FRAME.isna().sum().sum())
    assert sorted(table.column("PROBABILITY").to_pylist()) == pytest.approx(sorted(native(model)))
    whole = folder / "requests.parquet"
    parquet.write_table(table, whole)
    session = firnline_sandbox.session()
    try:
        world = World(session, folder)
        current = world.run("ingest.files", {"path": str(whole)})["table"]
        reference = store(session, customers(2_000, seed=6), "REFERENCE_ROWS")
        context = step_context(folder, stage="monitor", schema=SCHEMA, session=lambda: session)
        params = MonitorParams(page=False, history=None)
        metrics = monitor.run(context, params, reference, current)["metrics"].values
        assert metrics["rows"] == 300
        assert metrics["drifted_columns"] == 0
    finally:
        session.close()


def test_a_sample_is_a_share_of_the_requests(model: Any, folder: Path) -> None:
    export = export_folder(folder / "sampled", model, KINDS)
    log = folder / "sample"
    with serving(export, folder, "--log-folder", str(log), "--log-share", "0.3") as server:
        client = server.client()
        for row in itertools.islice(itertools.cycle(records(FRAME)), 400):
            client.predict(row)
        client.close()
        server.stop()
    rows = sum(parquet.read_metadata(file).num_rows for file in log.glob("*.parquet"))
    assert 70 <= rows <= 170


def test_one_requests_bad_row_is_not_anothers_failure(folder: Path) -> None:
    """A code that has no embedding cannot be computed with; those who wait beside it are answered."""
    from tests.onnx.test_traps import _embedding

    kinds: Any = {"SIZE": "number", "CODE": "number"}
    export = export_folder(folder / "embedding", _embedding(), kinds)
    with serving(export, folder, "--batch-wait-ms", "200") as server:
        codes = [0, 1, -1, 2, 7, 0]
        answers = in_threads(6, lambda number: server.ask("POST", "/predict", {"SIZE": 0.5, "CODE": codes[number]}))
        assert [answer.status for answer in answers] == [200, 200, 422, 200, 422, 200]
        assert "cannot compute with these rows" in answers[2].body.decode()


def test_what_the_model_takes_is_kept_to(folder: Path, model: Any) -> None:
    """Several classes; an input that may not be NULL; categories that are the only ones."""
    from firnline_onnx.signature import Input

    inputs = tuple(
        Input(name=name, kind=kind, nullable=name != "AGE", categories=("basic", "pro") if name == "PLAN" else ())
        for name, kind in KINDS.items()
    )
    several = fitted("multiclass")
    export = export_folder(folder / "strict", several, KINDS, "multiclass", inputs=inputs)
    good = {**records(FRAME.dropna())[0], "PLAN": "pro"}
    with serving(export, folder) as server:
        said = server.ask("POST", "/predict", good).json
        wanted = several.predict_proba(pd.DataFrame([good]))[0]
        assert list(said["probabilities"]) == ["low", "mid", "high"]
        assert list(said["probabilities"].values()) == pytest.approx(list(wanted))
        assert said["prediction"] == ["low", "mid", "high"][int(wanted.argmax())]
        refused = server.ask("POST", "/predict", {**good, "AGE": None, "PLAN": "plus"})
        assert {problem["field"] for problem in refused.json["problems"]} == {"AGE", "PLAN"}
        frame = pd.DataFrame([good, good])
        for name, value in (("AGE", None), ("PLAN", "plus")):
            changed = frame.copy()
            changed.loc[1, name] = value
            answer = server.ask("POST", "/predict", arrow(pa.Table.from_pandas(changed, preserve_index=False)), ARROW)
            assert answer.status == 422
            assert [(p["row"], p["field"]) for p in answer.json["problems"]] == [(1, name)]


def refused(folder: Path, *arguments: str) -> str:
    """Run ``firnline serve`` where it cannot work and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "firnline", "serve", *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    return " ".join((done.stdout + done.stderr).split())


def test_what_cannot_be_served_is_told(server: Server, folder: Path) -> None:
    assert "no exported model is called 'nothing'" in refused(folder, "nothing")
    (folder / "damaged").mkdir(exist_ok=True)
    (folder / "damaged" / "signature.json").write_text("{")
    assert "signature.json is damaged" in refused(folder, "damaged")
    (folder / "damaged" / "signature.json").write_text('{"format": 99}')
    assert "has format 99" in refused(folder, "damaged")
    assert f"cannot listen on 127.0.0.1:{server.port}" in refused(folder, "export", "--port", str(server.port))


def test_a_lone_client_waits_a_few_milliseconds(server: Server) -> None:
    """No promise of a number, but an answer that waits for a batch that never fills would be seen here."""
    client, row = server.client(), records(FRAME)[0]
    client.predict(row)
    started = time.monotonic()
    for _ in range(50):
        client.predict(row)
    client.close()
    assert (time.monotonic() - started) / 50 < 0.1
