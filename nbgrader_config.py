"""nbgrader's configuration of this course: the settings that `autograder build` uses."""

import os
import sys
from pathlib import Path

from autograder.nbgrader_settings import settings

# nbgrader starts alembic by its bare name, which lies beside Python, in an environment that need not be activated.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])

c = get_config()  # noqa: F821 - nbgrader gives it
c.merge(settings())
