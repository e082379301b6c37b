"""The networks. Each takes a float matrix of numbers and an integer matrix of codes, and gives a row of outputs.

A network of one's own keeps the same contract: ``Class(numbers=, cardinalities=, outputs=)`` makes a module whose
``forward(numbers, codes)`` returns ``outputs`` values a row: log-odds of the classes, or the standardised amount.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from firnline.errors import DataError

MOST_EMBEDDED = 16
PLAIN = ("mlp", "ft_transformer")


class MultilayerPerceptron(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """Embeddings beside the numbers, then layers of one activation each."""

    def __init__(
        self, *, numbers: int, cardinalities: Sequence[int], outputs: int, hidden: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        widths = [min(MOST_EMBEDDED, count // 2 + 1) for count in cardinalities]
        self.embeddings = nn.ModuleList(
            nn.Embedding(count, width) for count, width in zip(cardinalities, widths, strict=True)
        )
        layers: list[nn.Module] = []
        before = numbers + sum(widths)
        for width in hidden:
            layers += [nn.Linear(before, width), nn.ReLU(), nn.Dropout(dropout)]
            before = width
        self.layers = nn.Sequential(*layers, nn.Linear(before, outputs))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the outputs of each row."""
        parts = [numbers, *(embed(codes[:, place]) for place, embed in enumerate(self.embeddings))]
        return self.layers(torch.cat(parts, dim=1))


class FeatureTokenTransformer(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
    """A token a column, attention among them, and the answer from a token of its own.

    After Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data", 2021.
    """

    def __init__(
        self,
        *,
        numbers: int,
        cardinalities: Sequence[int],
        outputs: int,
        width: int,
        blocks: int,
        heads: int,
        dropout: float,
    ) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.scales = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))
        self.shifts = nn.Parameter(torch.empty(numbers, width).uniform_(-bound, bound))
        self.embeddings = nn.ModuleList(nn.Embedding(count, width) for count in cardinalities)
        self.answer = nn.Parameter(torch.empty(1, 1, width).uniform_(-bound, bound))
        block = nn.TransformerEncoderLayer(
            width, heads, dim_feedforward=2 * width, dropout=dropout, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, blocks, enable_nested_tensor=False)
        self.head = nn.Sequential(nn.LayerNorm(width), nn.ReLU(), nn.Linear(width, outputs))

    def forward(self, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return the outputs of each row."""
        tokens = [self.answer.expand(numbers.shape[0], -1, -1)]
        tokens.append(numbers.unsqueeze(2) * self.scales + self.shifts)
        tokens += [embed(codes[:, place]).unsqueeze(1) for place, embed in enumerate(self.embeddings)]
        return self.head(self.blocks(torch.cat(tokens, dim=1))[:, 0])


def build_network(params: Mapping[str, Any], *, numbers: int, cardinalities: Sequence[int], outputs: int) -> nn.Module:
    """Make the network that the params name, with fresh weights.

    Raises:
        DataError: the user's own network cannot be imported or made, or the heads do not divide the width.
    """
    shape: dict[str, Any] = {"numbers": numbers, "cardinalities": tuple(cardinalities), "outputs": outputs}
    if params["model"] == "mlp":
        return MultilayerPerceptron(**shape, hidden=params["hidden"], dropout=params["dropout"])
    if params["model"] == "ft_transformer":
        width, heads = params["token_width"], params["heads"]
        if width % heads:
            raise DataError(f"{heads} heads do not divide a token width of {width}", hint="choose both so that they do")
        return FeatureTokenTransformer(
            **shape, width=width, blocks=params["blocks"], heads=heads, dropout=params["dropout"]
        )
    return _own_network(params["model"], shape)


def _own_network(reference: str, shape: Mapping[str, Any]) -> nn.Module:
    module, _, name = reference.partition(":")
    try:
        made = getattr(importlib.import_module(module), name)(**shape)
    except (ImportError, AttributeError, TypeError) as error:
        raise DataError(
            f"the network {reference} cannot be made: {error}",
            hint="it is imported from the project's folder or an installed package, and called with "
            "numbers=, cardinalities= and outputs=",
        ) from error
    if not isinstance(made, nn.Module):
        raise DataError(f"{reference} makes a {type(made).__name__}", hint="name a torch.nn.Module")
    return made
