"""TOML, as Python reads it from 3.11 on."""

import sys

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # jupytext brings it there

__all__ = ["tomllib"]
