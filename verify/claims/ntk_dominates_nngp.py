"""lambda_min(NTK) >= lambda_min(NNGP): training all layers can only add to the kernel that the last layer alone has."""

from __future__ import annotations

from nngp_dag.reading import Setting
from verify import Context, Evidence, Finding, KeyValue, Proof, Table, claim
from verify.tools.data import space_spectra
from verify.tools.settings import with_activation
from verify.tools.spaces import complete_space

_SETTINGS = (
    Setting.make("exact", "activation-last", "gaussian"),
    Setting.make("exact", "activation-last", "gaussian-trained"),
    Setting.make("exact", "activation-last", "stem"),
    Setting.make("exact", "activation-first", "gaussian-trained"),
    Setting.make("independent", "activation-last", "gaussian"),
    Setting.make("path-sum", "activation-last", "gaussian"),
)
_PROOF = Proof.written("ntk-dominates-nngp")


@claim(
    "ntk-dominates-nngp",
    title="The smallest eigenvalue of the NTK is at least that of the NNGP",
    source="Section 3.2 (the convergence rate is bounded by the NNGP)",
    statement="For every DAG NTK - NNGP = Theta_HH is positive semi-definite, hence lambda_min(NTK) >="
    " lambda_min(NNGP).",
    latex=r"\Theta^{(H)} = K^{(H)} + \Theta_{HH},\quad \Theta_{HH} \succeq 0",
    expected="certified",
    settings={
        "DAGs": "all of four nodes",
        "data": "rows of real data",
        "activations": "relu, erf; gelu, sin in the full profile",
    },
    duration=9,
)
def check(context: Context) -> Evidence:
    """Every DAG with a path; the proof is by induction over the nodes, the check by eigenvalues."""
    space = complete_space(4)
    rows = context.rows(32)
    tolerance = 1e-12
    findings, table = [], []
    for activation in context.pick(quick=("relu", "erf"), full=("relu", "leaky_relu", "erf", "gelu", "sin")):
        for base in _SETTINGS if activation == "relu" else _SETTINGS[:1]:
            setting = with_activation(base, activation)
            spectra = space_spectra(space, rows, setting, ("nngp", "ntk", "tangent"))
            nngp, ntk = spectra["nngp"], spectra["ntk"]
            margin = float(((ntk.smallest - nngp.smallest) / ntk.largest).min())
            semidefinite = float((spectra["tangent"].smallest / ntk.largest).min())
            strictly = int((ntk.smallest > nngp.smallest + 1e-9 * ntk.largest).sum())
            findings.append(
                Finding.inequality(
                    min(margin, semidefinite),
                    tolerance=tolerance,
                    strict=False,
                    cases=len(space.names),
                    setting=setting,
                    proof=_PROOF,
                    detail="smallest of lambda_min(NTK) - lambda_min(NNGP) and lambda_min(NTK - NNGP), over"
                    " lambda_max(NTK)",
                )
            )
            table.append([str(base), activation, margin, semidefinite, strictly])
    return Evidence(
        findings,
        summary=f"All {len(space.names)} DAGs on {len(rows)} rows of {context.data} in {len(findings)} readings: never"
        f" violated beyond"
        f" rounding, {min(row[4] for row in table)} to {max(row[4] for row in table)} DAGs"
        f" strictly.",
        tables=[
            Table(
                f"{len(space.names)} DAGs, {len(rows)} rows",
                [
                    "reading",
                    "activation",
                    "smallest margin / lambda_max",
                    "smallest lambda_min(Theta) / lambda_max",
                    "strict",
                ],
                table,
            )
        ],
        key_values={f"strict, {row[0]}, {row[1]}": KeyValue(int(row[4]), 0, 2) for row in table},
        notes=[
            "Proof. Theta_00 is zero, K_in, or fdot(K_in) o K_in. A linear edge makes fdot(K) o Theta + fdot(K) o K"
            " (activation-last) or"
            " fdot(K) o Theta + f(K) (activation-first); f(K) and fdot(K) are covariances, so positive semi-definite,"
            " and so are Hadamard"
            " products (Schur). Each feature enters a sum with a non-negative coefficient, and squares of sums are"
            " sums of such terms."
        ],
    )
