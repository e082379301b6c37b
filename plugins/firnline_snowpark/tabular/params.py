"""Params of ``prepare.tabular``. Light: imported while planning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from firnline.domain import Params


class TabularParams(Params):
    """What the table is for; everything else is found out, and can be overruled here."""

    target: str = Field(min_length=1, description="The column to predict.")
    task: Literal["auto", "classification", "regression"] = Field(
        "auto", description="auto: text, flags and few different whole numbers are classes, other numbers are amounts."
    )
    positive: str | int | float | bool | None = Field(
        None, description="Of two classes, the one to look for; default: yes, true or 1, else the last in order."
    )
    identifiers: tuple[str, ...] = Field((), description="Columns that name a row, beside those that are found.")
    features: tuple[str, ...] = Field((), description="Columns to keep although they would be set aside.")
    set_aside: tuple[str, ...] = Field(
        (), description="Columns to leave out, for example what is known only afterwards."
    )
    free_text_length: int = Field(
        60, ge=1, description="Text that is longer than this on average is set aside as free text."
    )
    max_classes: int = Field(100, ge=2, le=1_000, description="More classes than this are taken for a mistake.")
