"""Settings of the documentation (Sphinx with MyST-NB); `python -m docs` assembles the sources and builds it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import nngp_dag  # noqa: E402
from docs.docstrings import as_restructured_text  # noqa: E402
from nngp_dag.theme.palette import ROLES  # noqa: E402

project = "nngp_dag"
author = "The nngp_dag developers"
copyright = f"{author}, Apache License 2.0"
version = release = nngp_dag.__version__

extensions = [
    "myst_nb",
    "docs.mathml",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
]
html_math_renderer = "mathml"

# Notebooks come executed; their outputs are shown as they are.
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # tables in Markdown outputs, which CommonMark does not know
myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_update_mathjax = False
suppress_warnings = ["ref.python"]  # two modules have a type Rows; annotations name it without its module
myst_heading_anchors = 3

autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_custom_sections = [("Warns", "Raises")]

html_theme = "furo"
html_title = f"nngp_dag {version}"
html_static_path = ["_static", "_build/static"]
html_extra_path = ["_build/extra"]  # the explorer
html_css_files = ["theme.css", "site.css"]
html_theme_options = {
    "source_view_link": "",
    **{
        f"{theme}_css_variables": dict.fromkeys(("color-brand-primary", "color-brand-content"), colour)
        for theme, colour in ROLES["link"]._asdict().items()
    },
}
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def is_unexplained_field(_app, _what, _name, member, skip, _options):
    """Fields of named tuples come with a docstring that says nothing; the class says what they are."""
    return True if str(getattr(member, "__doc__", "")).startswith("Alias for field number") else skip


def setup(app):
    """Docstrings are written for people who read the source; Sphinx gets them with its own marks escaped."""
    app.connect("autodoc-process-docstring", as_restructured_text, priority=400)
    app.connect("autodoc-skip-member", is_unexplained_field)
