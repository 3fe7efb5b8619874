"""What an error says about the machine: there is no GPU, or none of the kind that was asked for."""

import re

NO_GPU = "It is graded without a GPU: use the device of the arguments, and CUDA only if torch.cuda.is_available()."

_GPU = re.compile(  # what torch says then
    r"not compiled with CUDA|Found no NVIDIA|No CUDA GPUs|CUDA driver|no CUDA-capable|on a CUDA device but"
    r"|not linked with support for mps|MPS backend|No HIP GPUs|not compiled with XPU|accelerator device when none"
    r"|CUDA is not available|is_available\(\) is False",
    re.IGNORECASE,
)


def lacks_gpu(message: str) -> bool:
    """Whether an error comes from a GPU that is not there."""
    return _GPU.search(message) is not None
