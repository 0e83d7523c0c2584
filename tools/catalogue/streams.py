"""PyTorch's recurrent modules called on one chunk of steps after the other, the states
handed over, as a stream is run.
"""

import torch

from catalogue.torch_pipeline import run_recurrent

Named = dict[str, torch.Tensor]


def chunk_sizes(chunks: int | tuple[int, ...], steps: int) -> list[int]:
    """The number of steps of each chunk; of a size alone the last one has what is left."""
    if not isinstance(chunks, int):
        return list(chunks)
    return [min(chunks, steps - start) for start in range(0, steps, chunks)]


def run_in_chunks(module: torch.nn.RNNBase, inputs: Named, chunks: int | tuple[int, ...]) -> Named:
    """`output` of all steps, and `h_n` and of an LSTM `c_n` after the last."""
    axis = step_axis(module, inputs["input"])
    sizes = chunk_sizes(chunks, inputs["input"].shape[axis])
    results, given = [], dict(inputs)
    for x in inputs["input"].split(sizes, dim=axis):
        results.append(run_recurrent(module, given | {"input": x}, None))
        given |= {"h_0": results[-1]["h_n"]}
        if "c_n" in results[-1]:
            given |= {"c_0": results[-1]["c_n"]}
    return results[-1] | {"output": torch.cat([part["output"] for part in results], dim=axis)}


def step_axis(module: torch.nn.RNNBase, x: torch.Tensor) -> int:
    return 1 if module.batch_first and x.dim() == 3 else 0


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
