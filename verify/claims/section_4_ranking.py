"""Section 4: do Eq. 12, the exact smallest eigenvalues, and effective depth and width rank DAGs alike?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from nngp_dag.paths import effective_depth_width
from nngp_dag.reading import Setting
from verify import Context, Control, Evidence, Finding, KeyValue, Points, Proof, Series, Table, claim
from verify.claims._section_4_witnesses import LINEAR, SHAPES, RankedReading, Witnesses, needs
from verify.papers import CONNECTIVITY
from verify.tools.certified import middle
from verify.tools.data import space_spectra
from verify.tools.dual_formulas import DUALS
from verify.tools.settings import key
from verify.tools.spaces import ConnectedDags, complete_space

_SETTINGS = (
    Setting.make("independent", "activation-last", "gaussian-trained"),
    Setting.make("exact", "activation-first", "gaussian-trained"),
    Setting.make("exact", "activation-last", "gaussian-trained"),
    Setting.make("exact", "activation-last", "stem"),
)
_RESOLUTION = 1e-9


def _tau(a: np.ndarray, b: np.ndarray) -> tuple[float, int]:
    """Kendall's tau-b, and the number of strictly discordant pairs; values within rounding of each other are ties."""
    a, b = (np.round(v / np.abs(v).max(), 9) for v in (a, b))
    tau = float(stats.kendalltau(a, b).statistic)
    product = np.sign(a[:, None] - a[None]) * np.sign(b[:, None] - b[None])
    return tau, int((product < 0).sum()) // 2


@dataclass(frozen=True)
class _Rank:
    """The agreement of the ranking by Eq. 12 with one by lambda_min, among DAGs of one number of linear edges.

    Attributes:
        number: of linear edges.
        dags: how many DAGs have so many.
        tau: Kendall's tau of Eq. 12 with lambda_min. discordant: the number of pairs that they order differently.
        by_depth, by_width: tau of effective depth and width with lambda_min.
        against: pairs that effective depth (and width) and lambda_min order differently, whichever way round the order
            is taken: the smaller number of both directions.
    """

    number: int
    dags: int
    tau: float
    discordant: int
    by_depth: float
    by_width: float
    against: tuple[int, int]


@dataclass(frozen=True, eq=False)
class _Ranking:
    """The ranks at each number of linear edges of one kernel, as it is or scale-free, in one setting; `by` and `value`
    [A] are Eq. 12 and lambda_min.
    """

    setting: Setting
    words: str
    ranks: tuple[_Rank, ...]
    by: np.ndarray
    value: np.ndarray

    def discordant(self, shape: str = "") -> int:
        """The pairs that are ordered otherwise than by lambda_min: by Eq. 12, or by a shape in its better direction."""
        if not shape:
            return sum(rank.discordant for rank in self.ranks)
        return sum(rank.against[SHAPES.index(shape)] for rank in self.ranks)

    def finding(self, shape: str = "", proof: Proof | None = None) -> Finding:
        """The finding that no pair is discordant."""
        discordant, tau = self.discordant(shape), ", ".join(f"{rank.tau:.2f}" for rank in self.ranks)
        by_shape = [abs(rank.by_depth if shape == SHAPES[0] else rank.by_width) for rank in self.ranks]
        return Finding(
            discordant == 0,
            setting=self.setting,
            label=f"{self.words}, by {shape}" if shape else self.words,
            proof=proof,
            cases=sum(rank.dags * (rank.dags - 1) // 2 for rank in self.ranks),
            tolerance=_RESOLUTION,
            worst=min(by_shape) if shape else min(rank.tau for rank in self.ranks),
            detail=f"{discordant} discordant pairs in the better direction"
            if shape
            else f"tau {tau} at {LINEAR} linear edges; {discordant} discordant pairs",
        )

    def proved(self, space: _Space, witnesses: Witnesses) -> list[Finding]:
        """The findings for Eq. 12 and both shapes, those that are false with a proof."""
        found = []
        for shape, by in (("", self.by), (SHAPES[0], space.depth), (SHAPES[1], space.width)):
            label = self.finding(shape).label
            proof = witnesses.proof(RankedReading(label, by, self.value)) if self.discordant(shape) else None
            found.append(self.finding(shape, proof))
        return found

    @property
    def rows(self) -> list[list[object]]:
        """The ranks as rows of the table."""
        return [
            [str(self.setting), self.words, r.number, r.dags, r.tau, r.discordant, r.by_depth, r.by_width]
            for r in self.ranks
        ]

    @property
    def key_values(self) -> dict[str, KeyValue]:
        """Tau at each number of linear edges."""
        return {f"tau, {key(self.setting)}, {self.words}, {r.number}": KeyValue(r.tau, 0, 1e-3) for r in self.ranks}


@dataclass(frozen=True)
class _Space:
    """The DAGs that are ranked: their numbers of linear edges, effective depths and widths, and the gaps of Eq. 12 on
    the data without and with a stem, [A] each.
    """

    dags: ConnectedDags
    linear: np.ndarray
    depth: np.ndarray
    width: np.ndarray
    gaps: dict[str, np.ndarray]

    def bound(self, setting: Setting) -> np.ndarray:
        """Eq. 12 on the data, [A]."""
        return self.gaps["stem" if setting.embedding == "stem" else "gaussian"]


def _ranked(rows: np.ndarray) -> _Space:
    """The complete space of four nodes with what ranks its DAGs on rows [N, d]."""
    space = complete_space(4)
    linear = np.array([item.num_linear for item in space.structures()])
    depth, width = effective_depth_width(space.counts)
    return _Space(space, linear, depth, width, _closest_pair_gaps(rows, space.counts))


def _rankings(space: _Space, rows: np.ndarray, setting: Setting) -> list[_Ranking]:
    """The rankings of both kernels, as they are and scale-free, in one setting."""
    spectra = space_spectra(space.dags, rows, setting, kernels=("nngp", "ntk"))
    bound = space.bound(setting)
    scaled = bound / space.dags.counts.sum(axis=1)
    return [
        _Ranking(setting, words, tuple(_rank(space, n, by, value) for n in LINEAR), by, value)
        for words, by, value in (
            ("NNGP", bound, spectra["nngp"].smallest),
            ("NTK", bound, spectra["ntk"].smallest),
            ("NNGP scale-free", scaled, spectra["nngp"].scale_free),
            ("NTK scale-free", scaled, spectra["ntk"].scale_free),
        )
    ]


def _rank(space: _Space, number: int, rank_by: np.ndarray, value: np.ndarray) -> _Rank:
    """Eq. 12 (`rank_by`) against lambda_min (`value`) among the DAGs of `number` linear edges."""
    chosen = space.linear == number
    tau, discordant = _tau(rank_by[chosen], value[chosen])
    shapes = [(_tau(by[chosen], value[chosen]), _tau(-by[chosen], value[chosen])) for by in (space.depth, space.width)]
    (by_depth, by_width), against = (forth[0] for forth, _ in shapes), [min(a[1], b[1]) for a, b in shapes]
    return _Rank(number, int(chosen.sum()), tau, discordant, by_depth, by_width, (against[0], against[1]))


def _controls(space: _Space, value: np.ndarray, rng: np.random.Generator) -> list[Control]:
    """An order that is that of lambda_min, and one that has nothing to do with it."""

    def ranked(by: np.ndarray) -> Finding:
        ranks = tuple(_rank(space, number, by, value) for number in LINEAR)
        return _Ranking(_SETTINGS[0], "a control", ranks, by, value).finding()

    return [
        Control.keeps("The square root of lambda_min ranks DAGs as lambda_min does.", ranked(np.sqrt(value))),
        Control.rejects("An order drawn at random ranks DAGs as lambda_min does.", ranked(rng.random(len(value)))),
    ]


@claim(
    "section-4-ranking",
    title="Eq. 12, the smallest eigenvalue, and effective depth and width rank DAGs alike",
    paper=CONNECTIVITY,
    source="Section 4: Eq. 12 'precisely characterizes the impact of a network's topology on its convergence'",
    statement="Among DAGs with as many linear edges, the ranking by Eq. 12, by effective depth or by effective width is"
    " that by the smallest eigenvalue of the kernel, NNGP or NTK, scaled or not.",
    latex=r"P - \sum_p f^{d_p}(\rho) \;\text{ ranks DAGs as }\; \lambda_{\min}(K^{(H)})",
    expected="refuted",
    settings={
        "DAGs": "all of four nodes with a path, at 2, 3 and 4 linear edges",
        "data": "32 rows of real data (96 in the full profile)",
    },
    duration=10,
    needs=needs,
)
def check(context: Context) -> Evidence:
    """Kendall's tau at a fixed number of linear edges; one strictly discordant pair makes a reading false."""
    rows = context.rows(context.pick(quick=32, full=96))
    space = _ranked(rows)
    rankings: list[_Ranking] = []
    findings: list[Finding] = []
    proofs: list[Witnesses] = []
    for setting in _SETTINGS:
        proofs.append(Witnesses(context, rows, setting, space.dags.names, space.linear))
        for ranking in _rankings(space, rows, setting):
            rankings.append(ranking)
            findings += ranking.proved(space, proofs[-1])
    # The paper's own recursion: the counterexample is of it, and the plot shows it.
    published = rankings[0]
    return Evidence(
        findings,
        summary=_summary(rankings),
        condition="True between DAGs for which Eq. 12 is an identity and the smallest eigenvalue is that of two rows;"
        " on N rows and for other DAGs"
        " it is a correlation, given as Kendall's tau at each number of linear edges.",
        counterexample=_counterexample(space, published, proofs[0]),
        certificates=[certificate for found in proofs for certificate in found.certificates],
        controls=_controls(space, published.value, context.rng()),
        tables=[
            Table(
                f"Kendall's tau with lambda_min on {len(rows)} rows of {context.data}",
                [
                    "reading",
                    "lambda_min of",
                    "linear edges",
                    "DAGs",
                    "by Eq. 12",
                    "discordant",
                    "by depth",
                    "by width",
                ],
                [row for ranking in rankings for row in ranking.rows],
            )
        ],
        plots=[_points(space.linear, published.by, published.value)],
        key_values={name: value for ranking in rankings for name, value in ranking.key_values.items()},
    )


def _closest_pair_gaps(rows: np.ndarray, counts: np.ndarray) -> dict[str, np.ndarray]:
    """The right-hand side of Eq. 12 on the data, min over pairs, [A], without and with a stem."""
    gram = rows @ rows.T
    rho = gram[np.triu_indices(len(rows), 1)]

    def f(r: np.ndarray) -> np.ndarray:
        return DUALS["relu"].f(np.ones_like(r), r, np.ones_like(r))

    found = {}
    for name, start in (("gaussian", rho), ("stem", f(rho))):
        chain, total = start, np.zeros((len(counts), len(rho)))
        for d in range(counts.shape[1]):
            total += counts[:, d, None] * (1 - chain)
            chain = f(chain)
        found[name] = total.min(axis=1)
    return found


def _counterexample(space: _Space, ranking: _Ranking, witnesses: Witnesses) -> dict[str, object]:
    """The pair that is proved to be against Eq. 12 in the paper's own recursion."""
    a, b = witnesses.first
    bounds = {code: float(ranking.by[space.dags.names.index(code)]) for code in (a, b)}
    least = [middle(witnesses.kernels[code]["nngp"].statement.least) for code in (a, b)]
    return {
        "codes": f"{a} and {b}",
        "Eq. 12": f"{bounds[a]:.4g} > {bounds[b]:.4g}",
        "lambda_min (independent)": f"{least[0]:.4g} < {least[1]:.4g}",
        "margin": least[1] / least[0] - 1,
        "confirmed": "ball arithmetic: Eq. 12 for all rho, lambda_min by certified spectra",
    }


def _summary(rankings: list[_Ranking]) -> str:
    """The range of tau at three linear edges."""
    at_three = [(ranking.words, rank) for ranking in rankings for rank in ranking.ranks if rank.number == 3]

    def span(values: list[float]) -> str:
        return f"{min(values):.2f} to {max(values):.2f}"

    raw = span([rank.tau for words, rank in at_three if "scale-free" not in words])
    scaled = span([rank.tau for words, rank in at_three if "scale-free" in words])
    nngp = [rank for words, rank in at_three if words == "NNGP"]
    depth, width = [rank.by_depth for rank in nngp], [rank.by_width for rank in nngp]
    return (
        f"At three linear edges Kendall's tau of Eq. 12 with lambda_min is {raw} as they are, {scaled} scale-free; of"
        f" the NNGP with effective depth {min(depth):+.2f} to {max(depth):+.2f}, with effective width {min(width):+.2f}"
        f" to {max(width):+.2f}."
    )


def _points(linear: np.ndarray, bound: np.ndarray, value: np.ndarray) -> Points:
    series = [
        Series(f"{number} linear edges", bound[linear == number].tolist(), value[linear == number].tolist())
        for number in LINEAR
    ]
    return Points(
        "lambda_min of the NNGP against Eq. 12 (independent)",
        series,
        x="Eq. 12",
        y="lambda_min",
        xscale="log",
        yscale="log",
    )
