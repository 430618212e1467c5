"""The library's own code with float64 wherever it says float32.

transformers computes norms, softmax, rotary tables, scores and ALiBi slopes in float32 whatever the model's
dtype. Instead of copies of its formulas, the float64 model runs its code unchanged under a mode that reads every
request for float32 as one for float64, and that fails when any result is float32 all the same. What the library
rounds to bfloat16 on purpose (Falcon's ALiBi) stays rounded.
"""

from contextlib import contextmanager

import torch
from checkpoint import model_class
from remote import Remote
from torch.overrides import TorchFunctionMode


class Float64Mode(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.float:
            func = torch.Tensor.double
        args = tuple(torch.float64 if a is torch.float32 else a for a in args)
        kwargs = {k: torch.float64 if v is torch.float32 else v for k, v in (kwargs or {}).items()}
        result = func(*args, **kwargs)
        if isinstance(result, torch.Tensor):
            assert result.dtype not in (torch.float32, torch.float16), f"{func} gave {result.dtype}"
        return result


@contextmanager
def float64():
    torch.set_default_dtype(torch.float64)
    try:
        with Float64Mode():
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def float64_model(plain):
    """The same model in float64: built under the mode, so its tables are exact, with `plain`'s weights widened."""
    weights = {name: value.double() for name, value in plain.state_dict().items()}
    with float64():
        if isinstance(plain, Remote):
            model = Remote(plain.raw)
        else:
            model = model_class(plain.config).from_config(
                plain.config,
                dtype=torch.float64,
                attn_implementation=plain.config._attn_implementation,
                experts_implementation="eager",
            )
        model.load_state_dict(weights)
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        assert tensor.dtype == torch.float64 or not tensor.is_floating_point(), name
    return model.eval()
