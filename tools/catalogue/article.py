"""The example that this project started from.

An article printed `nn.LSTM(5, 6, batch_first=True, bidirectional=True)` on a
`torch.rand(1, 4, 5)`: input, output, h and c to four decimals, the weights
unknown. They are known now. The module below reproduces all 72 printed
results. The printed input is another one: it belongs to a run of the same cell
in which 956 random numbers had been drawn before instead of 2888.
"""

from typing import Any

import torch

SEED = 1997253548
#: Random numbers drawn before the module was made, in the run whose results
#: were printed and in the one whose input was.
DRAWN_BEFORE_RESULTS = 2888
DRAWN_BEFORE_INPUT = 956

ARGUMENTS: dict[str, Any] = {
    "input_size": 5, "hidden_size": 6, "batch_first": True, "bidirectional": True,
}

PRINTED_INPUT = torch.tensor([[
    [0.1360, 0.4574, 0.4842, 0.6409, 0.1980],
    [0.0364, 0.4133, 0.0836, 0.2871, 0.3542],
    [0.7796, 0.7209, 0.1754, 0.0147, 0.6572],
    [0.1504, 0.1003, 0.6787, 0.1602, 0.6571],
]])

PRINTED_OUTPUT = torch.tensor([[
    [-0.0611, 0.0054, -0.0828, 0.0416, -0.0570, -0.1117,
     0.0902, -0.0747, -0.0215, -0.1434, -0.2318, 0.0783],
    [-0.1194, -0.0127, -0.2058, 0.1152, -0.1627, -0.2206,
     0.0747, -0.0210, 0.0307, -0.0708, -0.2458, 0.1627],
    [-0.0163, -0.0568, -0.0266, 0.0878, -0.1461, -0.1745,
     0.1097, 0.0230, 0.0353, -0.0739, -0.2186, 0.0818],
    [-0.1145, -0.0460, -0.0732, 0.0950, -0.1765, -0.2599,
     0.0063, 0.0143, 0.0124, 0.0089, -0.1188, 0.0996],
]])

PRINTED_H_N = torch.tensor([
    [[-0.1145, -0.0460, -0.0732, 0.0950, -0.1765, -0.2599]],
    [[0.0902, -0.0747, -0.0215, -0.1434, -0.2318, 0.0783]],
])

PRINTED_C_N = torch.tensor([
    [[-0.2424, -0.1340, -0.1559, 0.3499, -0.3792, -0.5514]],
    [[0.1876, -0.1413, -0.0384, -0.2345, -0.4982, 0.1573]],
])

PRINTED = {"output": PRINTED_OUTPUT, "h_n": PRINTED_H_N, "c_n": PRINTED_C_N}

#: Half a unit of the last printed decimal, and the rounding of the decimals
#: themselves to float32.
PRINTED_TOLERANCE = {"rtol": 0, "atol": 5.1e-5}


def run(drawn_before: int) -> tuple[torch.nn.LSTM, torch.Tensor]:
    """The article's cell: the module and its input."""
    torch.manual_seed(SEED)
    torch.rand(drawn_before)
    module = torch.nn.LSTM(**ARGUMENTS).eval()
    return module, torch.rand(1, 4, 5)
