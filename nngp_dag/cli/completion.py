"""Words that a shell completes: activations and claims (methods, orders and embeddings are choices by themselves)."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

__all__ = ["activation_names", "claim_names"]


def activation_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The activations that begin so."""
    from nngp_dag.activations import ACTIVATIONS

    return [CompletionItem(name) for name in ACTIVATIONS if name.startswith(incomplete)]


def claim_names(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The claims that begin as the last of a comma-separated list does, with what stands before it."""
    from verify.framework.catalogue import catalogue
    from verify.framework.options import Options

    before, _, last = incomplete.rpartition(",")
    head = f"{before}," if before else ""
    claims = catalogue(Options(), words_only=True).claims.values()
    return [CompletionItem(head + claim.id, help=claim.title) for claim in claims if claim.id.startswith(last)]
