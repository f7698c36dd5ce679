"""`python -m verify.mutation`: can the suite fail? Every fault in turn; exit status 1 where one goes unnoticed.

A fault is tried on the fast claims, the quickest first, until one notices, or on the test that it names; in one process
per core, each with its share of the faults and healthy runs of its own. `--claims all` tries each fault on all claims.
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
from verify.mutation.sample import key_of_checkout, sample

__all__ = ["chosen_faults", "main"]


@click.command()
@click.option("--claims", metavar="ID,...", help="Claims to try; by default the fast ones; `all` for all.")
@click.option("--faults", metavar="NAME,...", help="Only these faults.")
@click.option("--sample", "size", type=click.IntRange(min=1), help="Only so many faults, chosen by --key.")
@click.option("--key", help="Text that chooses the sample; by default the commit of the checkout.")
@click.option("--every-claim", is_flag=True, help="Go on after the first claim that notices.")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes; by default one per core.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("verify-report"),
    show_default=True,
    help="Folder of mutation.json and mutation.md.",
)
@click.option("--list", "list_only", is_flag=True, help="List the faults, run nothing.")
def main(
    claims: str | None,
    faults: str | None,
    size: int | None,
    key: str | None,
    every_claim: bool,
    jobs: int | None,
    out: Path,
    list_only: bool,
) -> None:
    """Put deliberate faults into the library, one at a time, and see which claims or tests turn red."""
    try:
        chosen = chosen_faults(faults)
        if size is not None:
            key = key or key_of_checkout()
            chosen = sample(chosen, size, key)
            click.echo(f"{len(chosen)} faults; the same again: python -m verify.mutation --sample {size} --key {key}")
        elif key is not None:
            raise InputError("--key chooses a sample: give --sample too")
        if list_only:
            for fault in chosen:
                where = f"{fault.module}:{fault.function}" + (f"; {fault.test}" if fault.test else "")
                click.echo(f"{fault.name}: {fault.words} ({where})")
            return
        start = time.perf_counter()
        result = run_side_by_side(chosen, claims, jobs or available_cores(), every_claim)
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
