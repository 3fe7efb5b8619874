"""torch's compiler is imported when something is compiled, and only then; then all is as it would have been."""

import subprocess
import sys

PROGRAM = """
import inspect, sys, types
import torch
from autograder.sandbox.inside.uncompiled import defer_compiler

def train(model):
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    optimizer.zero_grad()
    return optimizer

defer_compiler()
model = torch.nn.Linear(2, 2)
before = model.weight.clone()
optimizer = train(model)
inspect.getmodule(train.__code__)  # a traceback asks each module for its file
assert not before.equal(model.weight)
assert "torch._dynamo.eval_frame" not in sys.modules

import torch._dynamo.config
from torch._dynamo.utils import counters
assert sys.modules["torch._dynamo.config"] is torch._dynamo.config is torch._dynamo.utils.config
assert type(torch._dynamo) is types.ModuleType

@torch.compile(backend="eager")
def step():
    return model(torch.ones(1, 2)).sum() + len(optimizer.param_groups)

step().backward()
optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)]})
assert counters["stats"]["unique_graphs"] == 1, counters
assert optimizer.add_param_group.__wrapped__.__dynamo_disable is not optimizer.add_param_group.__wrapped__
optimizer.step()
train(model)
print("as ever")
"""

SYMBOLS = """
import sys
import torch
from autograder.sandbox.inside.uncompiled import SHAPES, defer_compiler

def told(*shapes):
    try:
        return torch.broadcast_shapes(*shapes)
    except RuntimeError as error:
        return str(error)

defer_compiler()
torch.distributions.MultivariateNormal(torch.zeros(2), torch.eye(2)).log_prob(torch.zeros(2))
asked = ((3, 1), (1, 4)), ((3,), (4,))
before = [told(*shapes) for shapes in asked]
(2 * torch.ones(2, requires_grad=True)).backward(torch.ones(2))
assert before[0] == (3, 4), before
assert "sympy" not in sys.modules

from torch.fx.experimental.symbolic_shapes import ShapeEnv
assert sys.modules[SHAPES] is torch.fx.experimental.symbolic_shapes and "sympy" in sys.modules
assert before == [told(*shapes) for shapes in asked]
print("as ever")
"""


def test_sympy_is_imported_for_symbols_alone():
    done = subprocess.run([sys.executable, "-c", SYMBOLS], capture_output=True, text=True)
    assert done.stdout == "as ever\n", done.stderr


def test_the_compiler_is_imported_when_something_is_compiled():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.stdout == "as ever\n", done.stderr
