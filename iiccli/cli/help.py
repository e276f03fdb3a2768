"""`iic help`."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from iiccli.cli.output import result
from iiccli.cli.topics import TOPICS
from iiccli.errors import UsageError


def help_(
    context: typer.Context,
    topic: Annotated[str | None, typer.Argument(help="A topic, or a verb.")] = None,
) -> None:
    """Explain exit codes, carriers, keys, quality, or a verb."""
    if topic is None:
        result("iic help TOPIC explains\n")
        for name, (about, _) in TOPICS.items():
            result(f"  {name:11} {about}")
        result("\niic VERB --help shows what a verb takes; iic --help lists the verbs.")
        return
    if topic in TOPICS:
        from rich.console import Console
        from rich.markdown import Markdown

        Console(highlight=False).print(Markdown(TOPICS[topic][1]))
        return
    root: Any = context.find_root()
    verb = root.command.get_command(root, topic)
    if verb is None:
        raise UsageError(
            f"There is neither a topic nor a verb {topic!r}.",
            f"Topics are {', '.join(TOPICS)}.",
        )
    verb.main(["--help"], prog_name=f"iic {topic}", standalone_mode=False)
