"""The theme of all pages: contrast by WCAG, one colour a verdict, and mathematics set from plain words."""

import itertools
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nngp_dag.theme.css import badges, stylesheet, variables
from nngp_dag.theme.mathml import mathml
from nngp_dag.theme.notation import mathtext, typeset, unicode_text
from nngp_dag.theme.palette import EDGES, ROLES, VERDICTS, Shades, contrast
from nngp_dag.theme.svg import page_svg
from verify.framework.verdict import Verdict

ROOT = Path(__file__).resolve().parents[1]
THEMES = Shades._fields


def shade(shades, theme):
    return getattr(shades, theme)


def test_the_contrast_of_known_pairs():
    """Black on white is 21, and #767676 the lightest grey of AA on white (WCAG's own example, 4.54)."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#767676") == pytest.approx(4.54, abs=0.005)
    assert contrast("#ffffff", "#a66a00") < 4.5  # a badge of the past


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "wash"])
def test_words_stand_out_from_every_ground(theme, ground):
    words = {name: ROLES[name] for name in ("ink", "soft", "link", "good", "warning")}
    words |= {name: look.shades for name, look in VERDICTS.items()}
    low = {name: contrast(shade(word, theme), shade(ROLES[ground], theme)) for name, word in words.items()}
    assert min(low.values()) >= 4.5, low


@pytest.mark.parametrize("theme", THEMES)
def test_badges_and_edges_stand_out(theme):
    for name, look in VERDICTS.items():
        assert contrast(shade(look.shades, theme), shade(ROLES["badge"], theme)) >= 4.5, name
    for name, ground in itertools.product(EDGES, ("paper", "wash")):
        assert contrast(shade(EDGES[name], theme), shade(ROLES[ground], theme)) >= (2.8 if name == "zero" else 3)


def test_every_verdict_has_one_look_of_its_own():
    assert set(VERDICTS) == {str(verdict) for verdict in Verdict}
    for theme in THEMES:
        assert len({shade(look.shades, theme) for look in VERDICTS.values()}) == len(VERDICTS)
    assert len({look.terminal for look in VERDICTS.values()}) == len(VERDICTS)


COLOUR = re.compile(r"#[0-9a-fA-F]{3,8}\b(?![\w-]*;?&)")


def test_colours_of_pages_stand_in_the_palette_alone():
    """Stylesheets and templates name roles; only the plates behind pictures and printed paper are white."""
    files = [path for folder in ("nngp_dag", "verify", "docs/_static") for path in (ROOT / folder).rglob("*")]
    files = [path for path in files if path.suffix in (".css", ".j2")]
    assert len(files) >= 5
    for path in files:
        assert set(COLOUR.findall(path.read_text(encoding="utf-8"))) <= {"#fff"}, path


def test_light_and_dark_name_the_same_properties():
    blocks = re.findall(r"\{ (color-scheme[^}]*)\}", variables())
    names = [re.findall(r"--([\w-]+):", block) for block in blocks]
    assert len(blocks) == 5 and all(name == names[0] for name in names)
    used = set(re.findall(r"var\(--([\w-]+)", stylesheet() + badges()))
    assert used <= set(names[0])


# ---- notation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("lambda_min(K) >= 0", "λ<sub>min</sub>(K) ≥ 0"),
        ("K^(3) and f^3(rho)", "<i>K</i><sup>(3)</sup> and <i>f</i><sup>3</sup>(ρ)"),
        ("sum_p f^(d_p)", "Σ<sub>p</sub> <i>f</i><sup><i>d</i><sub>p</sub></sup>"),
        ("lambda_dag1 < lambda_dag2", "λ<sub>DAG#1</sub> &lt; λ<sub>DAG#2</sub>"),
        ("m^(-1/2), 2^-O(H)", "<i>m</i><sup>−1/2</sup>, 2<sup>−O(H)</sup>"),
        ("||y - u||^2", "‖y - u‖<sup>2</sup>"),
        ("1_12_002", '<code class="dag">1_12_002</code>'),
        ("leaky_relu of nngp_dag.spectrum, dag_1.py", "leaky_relu of nngp_dag.spectrum, dag_1.py"),
        ("1_3 and 2_011 are no codes", "1_3 and 2_011 are no codes"),
        ("<script> & co", "&lt;script&gt; &amp; co"),
    ],
)
def test_mathematics_is_set_and_words_are_not(text, html):
    assert str(typeset(text)) == html


@pytest.mark.parametrize("text", ["lambda_min <= K_ii", "sum_d n_d f^(d_p)(K^(0))", "costs $5", "K_ij^2 of 1_11"])
def test_plots_can_set_what_pages_set(text):
    from matplotlib.mathtext import MathTextParser

    assert MathTextParser("path").parse(mathtext(text)).width > 0


def test_a_terminal_gets_greek_letters_signs_and_digits():
    assert unicode_text("lambda_min >= K^(3), eta of 1_11, K_0, f^d") == "λ_min ≥ K⁽³⁾, η of 1_11, K₀, f^d"


# ---- drawings and formulas -------------------------------------------------------------------------------------------


def test_a_drawing_has_a_name_and_the_page_s_colours():
    svg = page_svg('<?xml?><svg width="1"><g id="a"><path style="fill: #ffffff; stroke: #0072b2"/></g></svg>', "K < 1")
    root = ElementTree.fromstring(svg)
    assert root.get("role") == "img"
    title = root[0]
    assert title.tag == "title" and title.text == "K < 1" and root.get("aria-labelledby") == title.get("id")
    assert root[1][0].get("style") == "fill: var(--paper, #ffffff); stroke: var(--linear, #0072b2)"


def test_what_is_no_formula_is_refused():
    assert ElementTree.fromstring(mathml(r"\lambda_{\min}")).tag.endswith("math")
    with pytest.raises(ValueError, match="no formula"):
        mathml("x_1_2")


def test_words_of_a_formula_are_no_elements():
    root = ElementTree.fromstring(mathml(r"\text{<script>x</script>} < y > z"))
    assert not [element for element in root.iter() if element.tag.endswith("script")]
    assert [element.text for element in root.iter() if element.tag.endswith("}mo")] == ["<", ">"]
