"""Claims on exact kernels of NAS-Bench-201's cells: their recorded sample, and what they conclude from it."""

import csv
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import assert_close
from scipy import stats

from nngp_dag import accuracy
from nngp_dag.conv import conv_kernel_fn
from nngp_dag.nas.images import load_images
from nngp_dag.reproduce.exact_nasbench201.measures import measured
from nngp_dag.reproduce.exact_nasbench201.report import class_accuracies
from nngp_dag.reproduce.exact_nasbench201.study import cells_in_order, study_data
from verify import Context
from verify.claims import _exact_cells, exact_least_eigenvalue, exact_spectrum_shape
from verify.claims._exact_cells import DATASETS, FILE, SPECTRA, Cells, cells_text, computed, recorded

pytestmark = pytest.mark.usefixtures("quick_compilation")


def made(number: int = 60, sign: float = 1.0) -> Cells:
    """Cells whose NTK goes with accuracy and with depth and width, whatever the sign, and whose NNGP is noise."""
    rng = np.random.default_rng(0)
    cells = recorded().first(number)
    shape = cells.shape
    good = stats.rankdata(shape["depth"] - 0.3 * shape["width"]) + rng.normal(size=number)
    spectra = {name: np.exp(rng.normal(size=number)) for name in SPECTRA}
    spectra |= {name: np.exp(good / number) for name in SPECTRA if name.startswith("ntk")}
    return Cells("made", cells.genes, spectra, dict.fromkeys(DATASETS, sign * good))


def conclude(claim, monkeypatch, *cells: Cells):
    """What a claim finds on given cells."""
    monkeypatch.setattr(claim, "samples", lambda context: list(cells))
    return claim.check(Context("made"))


def test_recorded_cells_are_the_first_of_the_study_with_their_accuracies(shared_data) -> None:
    cells = recorded()
    kept = {genes.tobytes() for genes in cells.genes}
    first = [genes for genes in cells_in_order(0, len(cells.genes) + 1) if genes.tobytes() in kept]
    np.testing.assert_array_equal(cells.genes, first)
    benchmark = accuracy.read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv")
    for data, values in class_accuracies(benchmark, cells.genes).items():
        np.testing.assert_allclose(cells.accuracy[data], values, atol=1e-4)


def test_recorded_spectra_are_the_columns_of_their_names() -> None:
    with FILE.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = recorded().spectra
    for name in SPECTRA:
        np.testing.assert_array_equal(found[name], [float(row[name]) for row in rows])


def test_rows_of_the_study_are_written_as_they_are_read(shared_data) -> None:
    benchmark = accuracy.read("nasbench201", shared_data / "nas_bench_201_test_accuracy.csv")
    cells, space = recorded(), benchmark.space
    known = {genes.tobytes(): i for i, genes in enumerate(cells.genes)}
    rows = []
    for genes in cells_in_order(0, 20):
        i = known.get(genes.tobytes())
        spectra = {name: "" if i is None else str(cells.spectra[name][i]) for name in SPECTRA}
        rows.append({"architecture": space.write(genes[None]), **spectra})
    text = cells_text(rows, benchmark, 20)
    assert FILE.read_text().startswith(text)
    assert text.count("\n") > 15


@pytest.mark.full
def test_recorded_spectra_are_those_of_the_kernels(shared_data) -> None:
    data = study_data(load_images(shared_data / "cifar10_subset.npz"), 30, 8)
    cells = recorded().first(3)
    for i, genes in enumerate(cells.genes):
        kernels = conv_kernel_fn(genes[None])(data.x)
        for kernel in ("nngp", "ntk"):
            values = measured(np.asarray(getattr(kernels, kernel)), data.y)
            for name in ("lambda_min", "lambda_min_scale_free", "condition"):
                assert cells.spectra[f"{kernel}_{name}"][i] == pytest.approx(values[name], rel=1e-6)


def test_cells_computed_anew_agree_with_the_recorded_ones_on_rank() -> None:
    cells = recorded().first(12)
    anew = computed(cells, 1, 2)
    for name in SPECTRA:
        assert np.isfinite(anew.spectra[name]).all()
    assert (
        stats.spearmanr(anew.spectra["ntk_lambda_min_scale_free"], cells.spectra["ntk_lambda_min_scale_free"])[0] > 0.5
    )
    np.testing.assert_array_equal(anew.genes, cells.genes)


def test_least_eigenvalue_that_goes_with_accuracy_is_told_from_noise_and_from_the_opposite(monkeypatch) -> None:
    evidence = conclude(exact_least_eigenvalue, monkeypatch, made())
    outcome = {f.label: f.holds for f in evidence.findings}
    assert outcome["NTK scale-free, CIFAR-10; made"] is True
    assert outcome["NNGP scale-free, CIFAR-10; made"] is not True
    assert all(control.passed for control in evidence.controls)
    against = conclude(exact_least_eigenvalue, monkeypatch, made(sign=-1.0))
    assert {f.label: f.holds for f in against.findings}["NTK scale-free, CIFAR-10; made"] is False
    assert [control.passed for control in against.controls] == [False, True]
    assert against.verdict() == "inconclusive"
    spearman = stats.spearmanr(made().spectra["ntk_lambda_min"], made().accuracy["cifar10"]).statistic
    assert_close(evidence.key_values["NTK, cifar10, made"].value, spearman)


def test_evidence_that_finds_correlations_in_permuted_accuracies_fails_its_control(monkeypatch) -> None:
    monkeypatch.setattr(exact_least_eigenvalue, "_positive", lambda *_: SimpleNamespace(holds=True))
    rng = np.random.default_rng(0)
    control = exact_least_eigenvalue._by_chance(made(20), "ntk_lambda_min", rng)
    assert not control.passed and control.cases == exact_least_eigenvalue._PERMUTATIONS


def test_depth_and_width_explain_what_was_made_of_them_and_not_noise(monkeypatch) -> None:
    evidence = conclude(exact_spectrum_shape, monkeypatch, made())
    outcome = {f.label: f.holds for f in evidence.findings}
    assert outcome["half of the variance, lambda_min scale-free of the NTK; made"] is True
    assert outcome["half of the variance, condition number of the NNGP; made"] is False
    assert all(control.passed for control in evidence.controls)
    assert evidence.verdict() == "holds-conditionally"


def test_quick_profile_computes_fewer_cells_and_networks(monkeypatch) -> None:
    tried = []
    monkeypatch.setattr(_exact_cells, "computed", lambda cells, *sizes: tried.append((len(cells.genes), *sizes)))
    _exact_cells.samples(Context("made"))
    _exact_cells.samples(Context("made", profile="full"))
    assert tried == [(40, 1, 4), *((len(recorded().genes), stages, 8) for stages in (1, 2, 3))]
