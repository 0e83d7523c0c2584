"""Writes `tools/tests/samples/keras-*`: ONNX models that Keras exports, with what Keras computes.

Keras needs TensorFlow for that, which nothing else here does:

    python3 -m venv tf && tf/bin/pip install tensorflow-cpu tf2onnx
    cd tools && ../tf/bin/python -m catalogue.export_keras_onnx
"""

import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np

SAMPLES = Path(__file__).resolve().parent.parent / "tests" / "samples"
UNITS, STEPS, FEATURES, BATCH = 4, 5, 3, 2


def export(name: str, layer: keras.layers.Layer) -> None:
    random = np.random.default_rng(sum(map(ord, name)))
    model = keras.Sequential([keras.Input((STEPS, FEATURES)), layer])
    # Keras starts with biases of 0, which show no exchange of gates.
    model.set_weights([random.normal(size=w.shape).astype(np.float32) for w in model.weights])
    x = random.normal(size=(BATCH, STEPS, FEATURES)).astype(np.float32)
    output = np.asarray(model(x))
    model.export(str(SAMPLES / f"{name}.onnx"), format="onnx", verbose=False)
    np.savez(SAMPLES / f"{name}.npz", input=x, output=output)


def main() -> None:
    SAMPLES.mkdir(exist_ok=True)
    lstm = keras.layers.LSTM(UNITS, return_sequences=True, use_cudnn=False)
    export("keras-lstm", lstm)
    export("keras-bidirectional", keras.layers.Bidirectional(
        keras.layers.LSTM(UNITS, return_sequences=True, use_cudnn=False)))


if __name__ == "__main__":
    main()
