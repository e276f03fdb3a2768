"""`iic models`: list, show, verify, import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from iiccli.cli.options import ForceOption, JsonOption
from iiccli.cli.output import count_of, result, result_json
from iiccli.errors import ModelError

app = typer.Typer(help="The models at hand.", invoke_without_command=True)


@app.callback()
def _root(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the models at hand."""
    if context.invoked_subcommand is None:
        _list(as_json)


@app.command("list")
def list_models(as_json: JsonOption = False) -> None:
    """List the models at hand."""
    _list(as_json)


def _list(as_json: bool) -> None:
    from iiccli.zoo.catalogue import entries, user_folder

    facts: list[dict[str, Any]] = []
    for entry in entries():
        fact: dict[str, Any] = {"name": entry.name, "path": str(entry.path)}
        try:
            card = entry.card
            fact |= {"task": card.task, "network": card.network, "pictures": card.pictures}
            fact |= {"scale": card.scale}
            fact |= {"bytes": entry.path.stat().st_size, "sha256": entry.hash, "problem": ""}
        except ModelError as error:
            fact["problem"] = error.message
        facts.append(fact)
    if as_json:
        result_json(facts)
        return
    for fact in facts:
        if fact["problem"]:
            result(f"{fact['name']:18} {fact['problem']}")
        else:
            pictures = count_of(fact["pictures"], "picture")
            scale = "" if fact["scale"] == 1 else f"1/{fact['scale']} size"
            size = fact["bytes"] / 1e6
            result(f"{fact['name']:18} {fact['task']:8} {pictures:12} {scale:8} {size:4.1f} MB")
    if not facts:
        result("There is no model at hand.")
    result(f"Your own models belong into {user_folder()}.")


@app.command("show")
def show(
    model: Annotated[str, typer.Argument(help="Name or file of a model.")],
    as_json: JsonOption = False,
) -> None:
    """Show what a model says about itself: network, training, figures."""
    from iiccli.zoo.catalogue import find

    entry = find(model)
    facts: dict[str, Any] = {"path": str(entry.path), "sha256": entry.hash, **asdict(entry.card)}
    if as_json:
        result_json(facts)
        return
    _tell(facts)


def _tell(facts: Mapping[str, Any], indent: str = "") -> None:
    """Print a table of tables; the innermost ones on a line each."""
    for key, value in facts.items():
        if not isinstance(value, dict):
            result(f"{indent}{key}: {value}")
        elif indent and not any(isinstance(item, dict) for item in value.values()):
            result(f"{indent}{key}: {', '.join(f'{name} {v}' for name, v in value.items())}")
        else:
            result(f"{indent}{key}:")
            _tell(value, f"{indent}  ")


@app.command("verify")
def verify(
    models: Annotated[
        list[str] | None, typer.Argument(help="Names or files; without, all at hand.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Load models whole and build their networks; fail if one is damaged."""
    from iiccli.inference.converter import make_converter
    from iiccli.inference.device import choose
    from iiccli.zoo.catalogue import entries, find, published_hash
    from iiccli.zoo.modelfile import load_model

    found = [find(name) for name in models] if models else entries()
    facts = []
    for entry in found:
        digest, problem = "", ""
        try:
            digest = entry.hash
            make_converter(*load_model(entry.path), choose("cpu"))
            if published_hash(entry) not in (None, digest):
                problem = f"{entry.path} is not the file that was published."
        except ModelError as error:
            problem = error.message
        facts.append({"name": entry.name, "sha256": digest, "problem": problem})
        if not as_json:
            result(f"{entry.name}: {problem or 'whole'}")
    if as_json:
        result_json(facts)
    if any(fact["problem"] for fact in facts):
        raise typer.Exit(ModelError.exit_code)


@app.command("import")
def import_model(
    checkpoint: Annotated[Path, typer.Argument(help="An official checkpoint (.pth).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The model file to write.")],
    task: Annotated[str, typer.Option("--task", help="What it was trained for.")],
    pictures: Annotated[
        int | None, typer.Option("--pictures", min=1, help="If the weights alone do not tell.")
    ] = None,
    order: Annotated[
        str | None, typer.Option("--order", help="hl or ref, if the weights alone do not tell.")
    ] = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Turn an official IICNet checkpoint into a model file."""
    from iiccli.zoo import importing

    card, digest = importing.import_official(
        checkpoint, output, task, pictures=pictures, order=order, force=force
    )
    facts = {"output": str(output), "sha256": digest, "config": card.config, "task": card.task}
    if as_json:
        result_json(facts)
        return
    options = ", ".join(f"{key} {value}" for key, value in card.config.items())
    result(f"{output}: {card.network} for {card.task} ({options}).")
