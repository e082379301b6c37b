"""The estimators of snowflake.ml.modeling: `fit` is a procedure, `predict` a vectorised function."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from snowflake.ml.modeling.preprocessing import OneHotEncoder, StandardScaler
from snowflake.ml.modeling.xgboost import XGBClassifier

if TYPE_CHECKING:
    from snowflake.snowpark import Session


# What the client does with pandas is not ours to mend.
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")
def test_scale_encode_fit_and_predict(session: Session) -> None:
    generator = random.Random(1)
    values = [(generator.random() * 10, generator.choice("ab")) for _ in range(60)]
    rows = [(value, letter, int(value > 5) ^ int(letter == "b")) for value, letter in values]
    session.create_dataframe(rows, schema=["value", "letter", "label"]).write.save_as_table("examples")
    frame = session.table("examples")
    frame = StandardScaler(input_cols=["VALUE"], output_cols=["SCALED"]).fit(frame).transform(frame)
    frame = OneHotEncoder(input_cols=["LETTER"], output_cols=["LETTER"]).fit(frame).transform(frame)
    features = ["SCALED", "LETTER_a", "LETTER_b"]
    assert set(features) <= {name.strip('"') for name in frame.columns}
    frame.write.save_as_table("features")
    frame = session.table("features")
    inputs = ["SCALED", '"LETTER_a"', '"LETTER_b"']
    model = XGBClassifier(input_cols=inputs, label_cols=["LABEL"], output_cols=["PREDICTION"], n_estimators=20)
    with session.query_history() as history:
        model.fit(frame)
    assert any("PROCEDURE" in query.sql_text for query in history.queries)
    predicted = model.predict(frame).select("LABEL", "PREDICTION").to_pandas()
    assert (predicted["LABEL"] == predicted["PREDICTION"]).mean() > 0.9
