"""Tell people about drift, over whatever Apprise knows: Slack, e-mail, webhooks and many more."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from firnline.errors import DataError, TransientError

if TYPE_CHECKING:
    from firnline.domain import StepContext
    from firnline_evidently.params import MonitorParams
    from firnline_evidently.verdict import Verdict

_NAMED: Final = 10


def send_alerts(context: StepContext, params: MonitorParams, verdict: Verdict, retraining: str = "") -> None:
    """Send one message to every receiver. The URLs carry secrets, so they stand in the environment and are never shown.

    Raises:
        DataError: a variable is not set, or holds no URL that Apprise understands.
        TransientError: a receiver could not be reached.
    """
    if not params.alerts:
        return
    import apprise

    title = f"Drift in {context.pipeline}.{context.stage}"
    for variable in params.alerts:
        receiver = apprise.Apprise()
        url = os.environ.get(variable)
        if not url or not receiver.add(url):
            raise DataError(
                f"the environment variable {variable} holds no URL of a receiver" if url else f"{variable} is not set",
                hint="monitor.params.alerts names variables that hold Apprise URLs, such as slack://… or json://host/path",
            )
        if not receiver.notify(title=title, body=message(context, verdict, retraining)):
            raise TransientError(f"the receiver of {variable} did not take the message about drift")
        context.logger.info("told the receiver of %s about drift", variable)


def message(context: StepContext, verdict: Verdict, retraining: str) -> str:
    """Return what the receivers read."""
    lines = [f"Run {context.run_id}:", *(f"{reason[0].upper()}{reason[1:]}." for reason in verdict.reasons)]
    for found in verdict.drifted_columns[:_NAMED]:
        missing = f", missing values {found.missing_change:+.1%}" if found.missing_drifted else ""
        lines.append(f"- {found.column}: {found.method} {found.value:.3g} (threshold {found.threshold:.3g}){missing}")
    if len(verdict.drifted_columns) > _NAMED:
        lines.append(f"- and {len(verdict.drifted_columns) - _NAMED} more")
    if verdict.performance is not None and not verdict.performance.labelled:
        lines.append(verdict.performance.told)
    return "\n".join([*lines, retraining] if retraining else lines)
