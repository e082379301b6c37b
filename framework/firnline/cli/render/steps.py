"""What is installed: steps with their ports and params, and the plugins that bring them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from firnline.cli.render.params import param_rows
from firnline.cli.render.text import NARROW, Fitted, joined, plain
from firnline.domain.artifact import Port
from firnline.domain.step import StepSpec
from firnline.domain.wording import count_text, names_text, one_line
from firnline.loading import Clash, Offer, PluginReport

OUTPUT_LIMIT = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPage:
    """Everything about one step.

    Attributes:
        offer: the step and the plugin that offers it.
        missing: import names that it needs and that are not installed.
        options: the option files that use it, as one types them (``train=xgboost``) → where the file is from.
    """

    offer: Offer[StepSpec]
    missing: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)


def render_steps(pages: Sequence[StepPage], clashes: Sequence[Clash] = ()) -> RenderableType:
    """Return the list of steps, sorted by id, with ports, what brings them, and what is missing to use them."""
    if not pages and not clashes:
        return plain("No steps: no healthy plugin is installed. See: firnline plugins", "yellow")
    ordered = sorted(pages, key=lambda page: page.offer.spec.id)
    table = Fitted(lambda width: _step_table(ordered, narrow=width < NARROW))
    parts: list[RenderableType] = [table, Text(), plain(f"{count_text(len(pages), 'step')}.", "dim")]
    parts += [joined(("clash: ", "bold red"), clash.message) for clash in clashes]
    return Group(*parts)


def _step_table(pages: Sequence[StepPage], *, narrow: bool) -> Table:
    table = _table("step", "takes", "gives", "what it does", *([] if narrow else ["plugin"]))
    for page in pages:
        spec = page.offer.spec
        summary = joined(spec.summary, (f"\n{_missing(page)}" if page.missing else "", "yellow"))
        plugin = [] if narrow else [plain(page.offer.plugin.name)]
        table.add_row(plain(spec.id, "bold"), _ports(spec.inputs), _ports(spec.outputs), summary, *plugin)
    return table


def render_step(page: StepPage) -> RenderableType:
    """Return one step: what it does, ports, params with types and defaults, option files, and what it needs."""
    spec, plugin = page.offer.spec, page.offer.plugin
    parts: list[RenderableType] = [
        joined((spec.id, "bold"), (f"  {plugin.label} (plugin {plugin.name})", "dim")),
        plain(spec.summary),
        Text(),
        _port_table("takes", spec.inputs),
        _port_table("gives", spec.outputs),
        Text(),
        *_params(spec),
        Text(),
        _notes(page),
    ]
    return Group(*parts)


def render_plugins(reports: Sequence[PluginReport]) -> RenderableType:
    """Return the installed plugins: name, distribution, version, where from, and whether they can be used."""
    if not reports:
        return plain("No plugins are installed: no distribution has an entry point in firnline.plugins.", "yellow")
    table = _table("plugin", "where from", "state")
    for report in reports:
        state = _health(report)
        if report.output.strip() and not report.healthy:
            state.append_text(joined((f"\nit printed: {one_line(report.output, OUTPUT_LIMIT)}", "dim")))
        origin = joined(report.label, (f"\n{report.location}", "dim"))
        table.add_row(plain(report.name, "bold"), origin, state)
    broken = sum(not report.healthy and not report.denied for report in reports)
    denied = sum(report.denied for report in reports)
    told = [f"{len(reports) - broken - denied} healthy"]
    told += [f"{broken} broken"] if broken else []
    told += [f"{denied} left out on purpose"] if denied else []
    closing = f"{count_text(len(reports), 'plugin')}: {', '.join(told)}."
    return Group(table, Text(), plain(closing, "dim"))


def _health(report: PluginReport) -> Text:
    if report.healthy:
        return joined(("✓ healthy", "green"))
    if report.denied:
        return joined(("– left out: ", "dim"), (report.reason, "dim"))
    return joined(("✗ ", "bold red"), report.reason)


def _missing(page: StepPage) -> str:
    extra = page.offer.spec.extra
    names = names_text(page.missing)
    return f"needs {names}" + (f': pip install "{_requirement(extra)}"' if extra else "")


def _requirement(extra: str) -> str:
    # An extra of Firnline is a plain word; a third party names its own distribution, maybe with an extra.
    return extra if "[" in extra or "-" in extra else f"firnline[{extra}]"


def _ports(ports: Mapping[str, Port]) -> Text:
    return plain("\n".join(f"{name}: {_kind(port)}" for name, port in ports.items()) or "–", "" if ports else "dim")


def _kind(port: Port) -> str:
    kind = f"list of {port.kind.__name__}" if port.many else port.kind.__name__
    return f"{kind}, optional" if port.optional else kind


def _port_table(title: str, ports: Mapping[str, Port]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim", min_width=5)
    for _ in range(3):
        grid.add_column(overflow="fold")
    for index, (name, port) in enumerate(ports.items()):
        label = Text(title if index == 0 else "")
        grid.add_row(label, plain(name, "bold"), plain(_kind(port)), plain(port.description, "dim"))
    if not ports:
        grid.add_row(Text(title), plain("nothing", "dim"), "", "")
    return grid


def _params(spec: StepSpec) -> list[RenderableType]:
    rows = param_rows(spec.params)
    if not rows:
        return [plain("It has no params.", "dim")]
    table = _table("param", "type", "default", "what it is for")
    for row in rows:
        default = plain(row.default) if row.default is not None else plain("required", "bold yellow")
        table.add_row(plain(row.name, "bold"), plain(row.type), default, plain(row.description, "dim"))
    return [table]


def _notes(page: StepPage) -> RenderableType:
    spec = page.offer.spec
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row("runs in", plain(f"a {spec.runs_in}" + (", on the platform" if spec.platform else "")))
    if not spec.reusable:
        grid.add_row("reuse", plain("never: it runs each time"))
    elif spec.source is not None:
        grid.add_row("reuse", plain("as long as what it reads has not changed"))
    if spec.modules:
        state: Any = (
            plain(_missing(page), "yellow") if page.missing else plain(f"{', '.join(spec.modules)} (installed)")
        )
        grid.add_row("packages", state)
    for index, (option, origin) in enumerate(page.options.items()):
        grid.add_row(Text("options" if index == 0 else ""), joined((option, "bold cyan"), (f"  {origin}", "dim")))
    if not page.options:
        grid.add_row("options", plain(f"no option file uses it; in a stage write: uses: {spec.id}", "dim"))
    return Padding(grid, (0, 0, 0, 0))


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for index, name in enumerate(names):
        # The first column is what one looks for: it keeps its width while the others wrap.
        table.add_column(name, overflow="fold", no_wrap=False, min_width=12 if index == 0 else 6)
    return table
