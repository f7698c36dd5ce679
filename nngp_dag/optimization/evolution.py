"""Search in spaces too large to go through: a genetic algorithm (PyGAD) over the operations of edges.

A graph is its flat code, one gene an edge; tournaments choose parents, children take each gene from either, some genes
change, and the best stay. Graphs with equal kernels are judged once, and only what is judged counts towards the budget.
The search proves nothing about what it has not seen.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from nngp_dag.dag import Dag, num_edges
from nngp_dag.errors import InputError
from nngp_dag.optimization.criteria import Criterion
from nngp_dag.optimization.judging import GraphJudge
from nngp_dag.optimization.leaders import Leaders
from nngp_dag.optimization.problem import Problem
from nngp_dag.optimization.quotient import Limits
from nngp_dag.support.progress import Advance, ProgressBar, no_progress

__all__ = ["MAX_NODES", "POPULATION", "Evolved", "evolve"]

MAX_NODES = 32
"""Nodes up to which path counts and weights of planes are exact floats."""
POPULATION = 40
_ELITE = 4
_STALE = 60
"""Generations without a new graph within the limits after which the search ends."""
_REFUSED = -1e300


@dataclass(frozen=True, eq=False)
class Evolved:
    """The graphs that a search found.

    Attributes:
        dags: the best, the best first, no two with equal kernels; pruned.
        costs: float64 [m, k].
        judged: number of different kernels that were judged.
    """

    dags: tuple[Dag, ...]
    costs: np.ndarray
    judged: int


def evolve(
    nodes: int,
    criteria: tuple[Criterion, ...],
    problem: Problem,
    limits: Limits,
    *,
    evaluations: int = 2000,
    keep: int = 10,
    seed: int = 0,
    progress: ProgressBar = no_progress,
) -> Evolved:
    """The best graphs by one criterion that a genetic algorithm finds.

    Args:
        nodes: of the space, 2 to 32.
        criteria: one.
        problem: what graphs are judged on.
        limits: what they may cost; a graph beyond them is never judged.
        evaluations: different kernels that may be judged; one generation of 40 at least.
        keep: how many graphs.
        seed: of everything random.
        progress: opens a progress bar over the evaluations.

    Raises:
        InputError: a number out of range, two criteria, or no graph within the limits among the first generations.
    """
    from pygad import GA

    if not 2 <= nodes <= MAX_NODES:
        raise InputError(f"a search by evolution takes 2 to {MAX_NODES} nodes, got {nodes}")
    if evaluations < POPULATION:
        raise InputError(f"a search by evolution judges {POPULATION} graphs or more, got a budget of {evaluations}")
    if len(criteria) != 1:
        raise InputError("a search by evolution has one criterion: fronts of two are those of up to 6 nodes")
    with progress("Evolution", evaluations, "graphs") as advance, _own_generators():
        run = _Run(GraphJudge(criteria, problem), limits, evaluations, Leaders.of(1, keep), advance)
        GA(
            num_generations=50 * evaluations // POPULATION,
            num_parents_mating=POPULATION // 2,
            initial_population=_population(num_edges(nodes), seed),
            gene_space=[0, 1, 2],
            gene_type=int,
            fitness_func=lambda ga, genes, places: run.fitness(genes),
            fitness_batch_size=POPULATION,
            parent_selection_type="tournament",
            crossover_type="uniform",
            mutation_type="random",
            mutation_num_genes=max(1, num_edges(nodes) // 8),
            keep_elitism=_ELITE,
            random_seed=seed,
            on_generation=lambda ga: "stop" if run.is_over else None,
            suppress_warnings=True,
        ).run()
    if not len(run.leaders.places):
        raise InputError("no graph within these limits was found: raise --max-linear-edges or --max-paths")
    return Evolved(tuple(run.seen[int(i)] for i in run.leaders.places), run.leaders.costs, len(run.judge.known))


@dataclass
class _Run:
    """A search on its way: what was judged, and how long nothing new was."""

    judge: GraphJudge
    limits: Limits
    evaluations: int
    leaders: Leaders
    advance: Advance
    seen: list[Dag] = field(default_factory=list)
    stale: int = 0

    @property
    def is_over(self) -> bool:
        return len(self.judge.known) >= self.evaluations or self.stale >= _STALE

    def fitness(self, genes: np.ndarray) -> list[float]:
        """Of codes [A, E] (or one, [E]): minus the cost; the least of all beyond the limits or the budget."""
        before, found = len(self.judge.known), np.full(len(np.atleast_2d(genes)), _REFUSED)
        chosen: dict[int, Dag] = {}
        new: dict[tuple[object, ...], Dag] = {}
        for i, row in enumerate(np.atleast_2d(genes)):
            dag = Dag.from_array(np.asarray(row, np.int64)).pruned()
            if not self.limits.allow(dag):
                continue
            form = self.judge.form(dag)
            if form not in self.judge.known:
                if form not in new and before + len(new) >= self.evaluations:
                    continue
                new.setdefault(form, dag)
            chosen[i] = dag
        if chosen:
            costs = self.judge.costs([*new.values(), *chosen.values()])
            found[list(chosen)] = np.where(np.isfinite(costs[len(new) :, 0]), -costs[len(new) :, 0], _REFUSED)
            self.leaders.offer(np.arange(len(self.seen), len(self.seen) + len(new)), costs[: len(new)])
            self.seen.extend(new.values())
        self.stale = 0 if new else self.stale + 1
        self.advance(len(self.judge.known))
        return found.tolist()


def _population(length: int, seed: int) -> np.ndarray:
    """Random codes [`POPULATION`, E]: half of them uniform, half of all densities, so that some meet tight limits."""
    rng = np.random.default_rng(seed)
    density = np.where(np.arange(POPULATION) % 2, 2 / 3, rng.random(POPULATION))
    present = rng.random((POPULATION, length)) < density[:, None]
    return np.where(present, rng.integers(1, 3, size=(POPULATION, length)), 0)


@contextmanager
def _own_generators() -> Iterator[None]:
    """PyGAD seeds the global generators: within this they are its own, and after it they are what they were."""
    state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 (what PyGAD draws from)
    try:
        yield
    finally:
        random.setstate(state)
        np.random.set_state(numpy_state)  # noqa: NPY002
