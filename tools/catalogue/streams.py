"""A stream run in the other way: a cell called in a loop over the steps."""

import torch

from parity_check.modules import Named, step_axis


def run_cell_in_loop(module: torch.nn.LSTM, inputs: Named) -> Named:
    """The same from an `nn.LSTMCell` with the parameters of a module of one layer, called
    once a step.
    """
    cell = torch.nn.LSTMCell(
        module.input_size, module.hidden_size, module.bias, dtype=module.weight_ih_l0.dtype)
    cell.load_state_dict(
        {name.removesuffix("_l0"): tensor for name, tensor in module.state_dict().items()})
    axis = step_axis(module, inputs["input"])
    h, c = inputs["h_0"][0], inputs["c_0"][0]
    hidden = []
    for x in inputs["input"].unbind(axis):
        h, c = cell(x, (h, c))
        hidden.append(h)
    return {"output": torch.stack(hidden, dim=axis), "h_n": h[None], "c_n": c[None]}
