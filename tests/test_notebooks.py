"""The committed notebooks: executed, small, linked with each other, and they run (the latter in the full profile).

`make notebooks ARGS=--check` runs them too.
"""

import re
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="notebooks are tested where their tools are installed")

from nngp_dag.errors import InputError  # noqa: E402
from notebooks.execute import FIGURE_LIMIT, execute, figure_bytes, find, write  # noqa: E402

FILES = find()
NAMES = [path.name for path in FILES]


def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_they_are_in_order_and_no_number_is_taken_twice():
    numbers = [int(name.partition("_")[0]) for name in NAMES]
    assert numbers[:7] == list(range(1, 8)) and numbers == sorted(set(numbers))
    for path in FILES:
        first = read(path).cells[0]
        assert first.cell_type == "markdown"
        assert first.source.startswith(f"# {path.name[0]} · ")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_committed_as_it_ran_from_top_to_bottom(path):
    notebook = read(path)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "error"]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    assert any("image/png" in output.get("data", {}) or "text/html" in output.get("data", {}) for output in outputs)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_figures_are_small(path):
    assert 10_000 < figure_bytes(read(path)) < FIGURE_LIMIT


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_more_words_than_code_and_no_wall_of_numbers(path):
    notebook = read(path)
    words = sum(len(cell.source.split()) for cell in notebook.cells if cell.cell_type == "markdown")
    assert words > 200
    for cell in code_cells(notebook):
        for output in cell.outputs:
            text = output.get("text", "") or output.get("data", {}).get("text/plain", "")
            if "text/html" not in output.get("data", {}):
                assert len(text.splitlines()) <= 12, cell.source


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_links_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)#\s]+)\)", cell.source):
                assert target.startswith("https://") or (path.parent / target).is_file(), target


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_nothing_of_the_machine_that_ran_it_is_left(path):
    text = path.read_text(encoding="utf-8")
    assert str(Path.home()) not in text
    assert str(Path(__file__).resolve().parents[1]) not in text
    assert set(read(path).metadata) == {"kernelspec", "language_info"}


def test_a_notebook_that_fails_says_so(tmp_path):
    path = tmp_path / "bad.ipynb"
    cells = [nbformat.v4.new_code_cell("x = 1"), nbformat.v4.new_code_cell("x / 0")]
    write(nbformat.v4.new_notebook(cells=cells), path)
    _, error = execute(path, timeout=120)
    assert "ZeroDivisionError" in error
    with pytest.raises(InputError, match="no notebook begins with 0"):
        find(["0"])


def test_pictures_get_a_palette(tmp_path):
    path = tmp_path / "picture.ipynb"
    code = (
        "import io\nimport numpy as np\nfrom IPython.display import Image\nfrom PIL import Image as Pixels\n"
        "noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)\n"
        "buffer = io.BytesIO()\nPixels.fromarray(noise).save(buffer, format='png')\nImage(buffer.getvalue())"
    )
    write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)]), path)
    notebook, error = execute(path, timeout=120)
    assert not error
    assert 1000 < figure_bytes(notebook) < 200 * 200 * 1.1  # one byte a pixel, not three


@pytest.mark.full
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_runs(path):
    notebook, error = execute(path)
    assert not error
    assert figure_bytes(notebook) < FIGURE_LIMIT
    committed = [cell.source for cell in read(path).cells]
    assert [cell.source for cell in notebook.cells] == committed
