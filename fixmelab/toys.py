"""The toys that visible tests of the notebooks use, by the name under which notebooks import them."""

from fixmelab.judged.flows import Trajectories
from fixmelab.judged.toys import Bowl, Drift, LinearDecoder, Recorder

__all__ = ["Bowl", "Drift", "LinearDecoder", "Recorder", "Trajectories"]
