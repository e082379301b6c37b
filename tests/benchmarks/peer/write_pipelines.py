"""Write the workloads as pipelines: one node a stage, as a user would write them."""

from pathlib import Path

SOURCE = "{name}:\n  uses: bench.stage\n  params: {{number: {number}, sleep: {sleep}}}\n"
LINKED = SOURCE + "  inputs: {{frame: {upstream}.value}}\n"


def chain(count: int, sleep: float = 0.0) -> str:
    """Return ``count`` stages, each taking from the one before."""
    nodes = [SOURCE.format(name="s1", number=1, sleep=sleep)]
    nodes += [
        LINKED.format(name=f"s{number}", number=number, sleep=sleep, upstream=f"s{number - 1}")
        for number in range(2, count + 1)
    ]
    return "".join(nodes)


def join(count: int) -> str:
    """Return a stage that takes from all the others."""
    frames = ", ".join(f"s{number}.value" for number in range(1, count + 1))
    return f"last:\n  uses: bench.join\n  inputs: {{frames: [{frames}]}}\n"


def fan(count: int) -> str:
    """Return one source, ``count`` stages on it, and a join."""
    middle = "".join(
        LINKED.format(name=f"s{number}", number=number, sleep=0.0, upstream="s0") for number in range(1, count + 1)
    )
    return SOURCE.format(name="s0", number=0, sleep=0.0) + middle + join(count)


def parallel(count: int) -> str:
    """Return ``count`` independent stages that sleep a second, and a join."""
    sources = "".join(SOURCE.format(name=f"s{number}", number=number, sleep=1.0) for number in range(1, count + 1))
    return sources + join(count)


SWEPT = (
    SOURCE.format(name="s1", number=1, sleep=0.0)
    + "scaled:\n  uses: bench.scale\n  params: {alpha: 1.0}\n  inputs: {frame: s1.value}\n"
    + LINKED.format(name="s3", number=3, sleep=0.0, upstream="scaled")
)

PIPELINES = {"w2": chain(50), "w3": fan(50), "w5": parallel(8), "w6": SWEPT, "w7": chain(10, 0.5), "w8": chain(1000)}


def main() -> None:
    """Write ``conf/``."""
    folder = Path("conf/pipeline")
    folder.mkdir(parents=True, exist_ok=True)
    Path("conf/config.yaml").write_text("defaults:\n  - firnline\n  - pipeline: w2\n  - _self_\n", "utf-8")
    for name, nodes in PIPELINES.items():
        (folder / f"{name}.yaml").write_text(f"# @package _global_\npipeline:\n  name: {name}\n{nodes}", "utf-8")


if __name__ == "__main__":
    main()
