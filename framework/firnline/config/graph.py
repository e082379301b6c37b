"""Connect stages: links become ports that exist and fit, and the order is one without cycles."""

from __future__ import annotations

import graphlib
from collections.abc import Collection, Mapping
from dataclasses import replace

from firnline.config.names import nearest
from firnline.domain import Link, Port, Stage
from firnline.errors import Problem


def connect(stages: list[Stage], names: Collection[str], problems: list[Problem]) -> list[Stage]:
    """Return the stages with resolved links, each after those that it takes from.

    Args:
        stages: stages whose step is known.
        names: names of all stages of the config, those with an unknown step too.
        problems: gets what is wrong.
    """
    by_name = {stage.name: stage for stage in stages}
    connected = {stage.name: replace(stage, inputs=_resolve(stage, by_name, names, problems)) for stage in stages}
    sorter = graphlib.TopologicalSorter(
        {
            name: [link.stage for links in stage.inputs.values() for link in links if link.stage in connected]
            for name, stage in connected.items()
        }
    )
    try:
        return [connected[name] for name in sorter.static_order()]
    except graphlib.CycleError as error:
        cycle = list(reversed(error.args[1]))
        problems.append(
            Problem(
                path=f"{cycle[0]}.inputs",
                message=f"the stages take from each other in a circle: {' → '.join(cycle)}",
                hint="a stage can only take from stages that do not need it",
            )
        )
        return list(connected.values())


def _resolve(
    stage: Stage, by_name: Mapping[str, Stage], names: Collection[str], problems: list[Problem]
) -> dict[str, tuple[Link, ...]]:
    ports = stage.spec.inputs
    resolved: dict[str, tuple[Link, ...]] = {}
    for name, links in stage.inputs.items():
        path = f"{stage.name}.inputs.{name}"
        port = ports.get(name)
        if port is None:
            problems.append(
                Problem(
                    path=path,
                    message=f"step {stage.spec.id} has no input {name!r}: nothing would use it",
                    value=", ".join(_text(link) for link in links),
                    expected=f"one of {', '.join(ports)}" if ports else "no inputs",
                    nearest=nearest(name, ports),
                )
            )
            continue
        if len(links) != 1 and not port.many:
            problems.append(Problem(path=path, message=f"the input takes one output, not {len(links)}"))
            continue
        found = [_resolve_link(link, port, path, by_name, names, problems) for link in links]
        resolved[name] = tuple(link for link in found if link is not None)
    for name, port in ports.items():
        if name not in stage.inputs and not port.optional:
            problems.append(_missing(stage, name, port, by_name))
    return resolved


def _resolve_link(
    link: Link,
    port: Port,
    path: str,
    by_name: Mapping[str, Stage],
    names: Collection[str],
    problems: list[Problem],
) -> Link | None:
    if link.stage not in by_name:
        if link.stage not in names:  # otherwise its step is unknown, which is reported already
            problems.append(
                Problem(
                    path=path,
                    message=f"there is no stage {link.stage!r}",
                    value=_text(link),
                    expected=f"STAGE.PORT of one of {', '.join(names)}",
                    nearest=nearest(link.stage, names),
                )
            )
        return None
    outputs = by_name[link.stage].spec.outputs
    if not link.port:
        fitting = [name for name, output in outputs.items() if issubclass(output.kind, port.kind)]
        if len(fitting) == 1:
            return Link(stage=link.stage, port=fitting[0])
        choices = ", ".join(f"{link.stage}.{name}" for name in fitting or outputs)
        problem = "several outputs fit" if fitting else f"no output of {link.stage} is a {port.kind.__name__}"
        problems.append(Problem(path=path, message=problem, value=link.stage, expected=f"one of {choices}"))
        return None
    if link.port not in outputs:
        problems.append(
            Problem(
                path=path,
                message=f"stage {link.stage} (step {by_name[link.stage].spec.id}) has no output {link.port!r}",
                value=_text(link),
                expected=f"one of {', '.join(f'{link.stage}.{name}' for name in outputs)}" if outputs else None,
                nearest=nearest(link.port, outputs),
            )
        )
        return None
    if not issubclass(outputs[link.port].kind, port.kind):
        problems.append(
            Problem(
                path=path,
                message=f"{_text(link)} is a {outputs[link.port].kind.__name__}, not a {port.kind.__name__}",
                value=_text(link),
                expected=_offers(port, by_name) or None,
            )
        )
        return None
    return link


def _missing(stage: Stage, name: str, port: Port, by_name: Mapping[str, Stage]) -> Problem:
    return Problem(
        path=f"{stage.name}.inputs.{name}",
        message=f"step {stage.spec.id} needs this input ({port.kind.__name__})",
        expected=_offers(port, {key: other for key, other in by_name.items() if key != stage.name}) or None,
        hint=f"connect it: {stage.name}.inputs.{name}=STAGE.PORT",
    )


def _offers(port: Port, by_name: Mapping[str, Stage]) -> str:
    fitting = [
        f"{name}.{output}"
        for name, stage in by_name.items()
        for output, offered in stage.spec.outputs.items()
        if issubclass(offered.kind, port.kind)
    ]
    return f"one of {', '.join(fitting[:8])}" + (" …" if len(fitting) > 8 else "") if fitting else ""


def _text(link: Link) -> str:
    return f"{link.stage}.{link.port}" if link.port else link.stage
