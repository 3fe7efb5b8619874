"""nbgrader's configuration of this course: the settings that `autograder build` uses."""

from autograder.build.nbgrader_settings import settings

c = get_config()  # noqa: F821 - nbgrader gives it
c.merge(settings())
