"""Which value a tensor is: told by its storage, so that a view of a module's output is that
output."""

import torch


class Flow:
    """The tensors that modules were given and gave, while they live.

    Each is held, since a storage that is given back would be another tensor's next.
    """

    def __init__(self) -> None:
        self._values: dict[int, tuple[str, torch.Tensor, int | None]] = {}

    def add(self, name: str, tensor: torch.Tensor) -> None:
        self._values[storage(tensor)] = (name, tensor, version(tensor))

    def name(self, tensor: torch.Tensor) -> str | None:
        """The value that the tensor is a view of; None where it is no known one, and where what
        is known was changed in place since."""
        found = self._values.get(storage(tensor))
        if found is None or found[2] != version(tensor) or found[2] is None:
            return None
        return found[0]

    def is_whole(self, tensor: torch.Tensor) -> bool:
        """Whether the tensor is the known value itself, element by element."""
        _, known, _ = self._values[storage(tensor)]
        return (known.shape == tensor.shape and known.stride() == tensor.stride()
                and known.storage_offset() == tensor.storage_offset())


def storage(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage()._cdata


def version(tensor: torch.Tensor) -> int | None:
    """How often the storage was written to; None where PyTorch does not count, as in
    `inference_mode`."""
    return None if tensor.is_inference() else tensor._version
