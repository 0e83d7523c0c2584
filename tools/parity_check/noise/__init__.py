"""The rounding error of anything that PyTorch computes, measured in PyTorch.

A model runs in float64, several times, while each primitive operator's result is moved by as much
as one rounding of that operator in the recorded arithmetic may move it (Monte Carlo arithmetic:
Parker 1997; sums and products by Higham and Mary 2019). What is not primitive is taken apart by
PyTorch's own decompositions, so that what an operator cancels or amplifies shows by itself. The
spread of the results over the runs is σ.
"""
