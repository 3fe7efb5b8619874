"""The instructors' package: builds the notebooks, proves the checks, grades submissions."""

import sys

# nbformat checks notebooks with jsonschema, which would spend more than a second on a grammar of internationalised
# addresses; a notebook's schema has none.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # None stands for "not to be imported"
