"""Which value a tensor is: told by its storage, so that a view of a module's output is that
output."""

import torch

#: The element type, the offset in the storage, the shape and the strides.
Place = tuple[torch.dtype, int, tuple[int, ...], tuple[int, ...]]


class Flow:
    """The tensors that modules were given and gave, while they live.

    Each is held, since a storage that is given back would be another tensor's next.
    """

    def __init__(self) -> None:
        #: By storage and place in it: the name, the tensor, and its numbers when it was seen.
        self._values: dict[int, dict[Place, tuple[str, torch.Tensor, torch.Tensor]]] = {}

    def add(self, name: str, tensor: torch.Tensor, numbers: torch.Tensor) -> None:
        self._values.setdefault(storage(tensor), {})[place(tensor)] = name, tensor, numbers

    def find(self, tensor: torch.Tensor) -> tuple[str, bool] | None:
        """The value that the tensor is, or the smallest one that it is a view of, and whether it
        is all of that, element by element.

        None where it is no known one, and where what is known was changed in place since.
        """
        known = self._values.get(storage(tensor), {})
        if (same := known.get(place(tensor))) and same_numbers(same[1], same[2]):
            return same[0], True
        for name, whole, numbers in sorted(known.values(), key=lambda entry: entry[1].numel()):
            if covers(whole, tensor) and same_numbers(whole, numbers):
                return name, False
        return None


def storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def place(tensor: torch.Tensor) -> Place:
    return tensor.dtype, tensor.storage_offset(), tuple(tensor.shape), tensor.stride()


def covers(whole: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether the elements of one tensor lie within the span of another in their storage."""
    (start, end), (first, last) = span(whole), span(part)
    return whole.dtype == part.dtype and start <= first and last <= end


def span(tensor: torch.Tensor) -> tuple[int, int]:
    """The places of its first and its last element, in elements."""
    start = tensor.storage_offset()
    steps = zip(tensor.shape, tensor.stride(), strict=True)
    return start, start + sum((size - 1) * stride for size, stride in steps if size > 0)


def same_numbers(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Whether two tensors of one shape hold the same, NaN for NaN."""
    a = a.detach().to(b.device)
    return a.shape == b.shape and a.dtype == b.dtype and (
        torch.equal(a, b) or a.is_floating_point() and torch.equal(a.isnan(), b.isnan())
        and torch.equal(a.nan_to_num(), b.nan_to_num()))
