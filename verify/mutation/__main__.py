"""`python -m verify.mutation`: can the suite fail? Every fault in turn; exit status 1 where one goes unnoticed.

By default the claims that are fast are tried, in one process per core, each with its share of the faults and a healthy
run before and after; `--claims all` tries each fault on every claim.
"""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from nngp_dag.errors import InputError, unknown_names
from nngp_dag.support.cores import available_cores
from nngp_dag.support.files import write_text
from verify.mutation.faults import FAULTS
from verify.mutation.inject import Fault
from verify.mutation.parallel import run_side_by_side
from verify.mutation.report import mutation_markdown

__all__ = ["chosen_faults", "main"]


@click.command()
@click.option("--claims", metavar="ID,...", help="Claims to try; by default the fast ones; `all` for all.")
@click.option("--faults", metavar="NAME,...", help="Only these faults.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; by default one per core.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("verify-report"),
    show_default=True,
    help="Folder of mutation.json and mutation.md.",
)
@click.option("--list", "list_only", is_flag=True, help="List the faults, run nothing.")
def main(claims: str | None, faults: str | None, jobs: int | None, out: Path, list_only: bool) -> None:
    """Put deliberate faults into the library, one at a time, and see which claims turn red."""
    try:
        chosen = chosen_faults(faults)
        if list_only:
            for fault in chosen:
                click.echo(f"{fault.name}: {fault.words} ({fault.module}:{fault.function})")
            return
        start = time.perf_counter()
        result = run_side_by_side(chosen, claims, jobs or available_cores())
    except InputError as error:
        raise click.UsageError(str(error)) from error
    seconds = time.perf_counter() - start
    out.mkdir(parents=True, exist_ok=True)
    write_text(out / "mutation.json", json.dumps({**result.as_json(), "seconds": round(seconds, 1)}, indent=1) + "\n")
    write_text(out / "mutation.md", mutation_markdown(result, seconds))
    click.echo(mutation_markdown(result, seconds).split("\n\n", 2)[1])
    click.echo(f"Report: {out / 'mutation.md'} (also mutation.json)")
    if not result.passed:
        raise SystemExit(1)


def chosen_faults(names: str | None) -> tuple[Fault, ...]:
    """The faults of a comma-separated list of names; all of them for None.

    Raises:
        InputError: a name that no fault has.
    """
    if names is None:
        return FAULTS
    known = {fault.name: fault for fault in FAULTS}
    wanted = [name.strip() for name in names.split(",")]
    if strange := [name for name in wanted if name not in known]:
        raise unknown_names("fault", strange, known)
    return tuple(known[name] for name in wanted)


if __name__ == "__main__":
    main()
