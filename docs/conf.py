"""Sphinx: how the site is built; `make docs`."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from reactorrl import __version__  # noqa: E402 - from this tree

project = "reactorrl"
version = release = __version__
html_title = f"reactorrl {version}"
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["pages.css"]
html_copy_source = False
html_show_copyright = False
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pages"]

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_inherit_docstrings = False
autodoc_member_order = "bysource"
autodoc_mock_imports = ["torch", "pettingzoo", "stable_baselines3"]  # the site needs none of them
autodoc_preserve_defaults = True
autodoc_typehints = "none"
default_role = "name"  # of pages.py
napoleon_custom_sections = [("Source", "notes_style"), ("Deviations", "notes_style")]
napoleon_numpy_docstring = False
napoleon_use_ivar = True

toc_object_entries_show_parents = "hide"
nitpicky = True
nitpick_ignore_regex = [
    ("py:obj", ".*"),  # what stands in single backticks in a docstring is a link if it can be one
    ("py:.*", r"(collections|gymnasium|numpy|pathlib|torch)\..*"),  # no network, no inventories
    ("py:exc", "ClosedEnvironmentError|ResetNeeded"),  # Gymnasium's
]
