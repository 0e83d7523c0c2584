import RecurrentModel
import RoundingNoise
import TensorCore

/// Layers that stand in another order, or that are not all there.
enum LayerMistakes {
  /// Mistakes in what the layers compute.
  static let ofParameters: [Mistake] = [
    Mistake(
      "later-layers-zero", with: "only the first layer's parameters loaded, the others zeros",
      "load the parameters of every layer: weight_ih_l1, weight_hh_l1 and so on",
      issue: "jatinchowdhury18/RTNeural#148", needs: [.severalLayers]
    ) { replay in
      replay.changeParameters { current, parameter in
        parameter.layer > 0 ? current.tensor(parameter).zeros : nil
      }
    },
    Mistake(
      "layers-reversed", with: "the parameters of the layers in reverse order",
      "layer k's parameters end in _lk, and layer 0 reads the input",
      needs: [.severalLayers, alikeLayers]
    ) { replay in
      let (first, last) = (replay.firstAlike, replay.configuration.numLayers - 1)
      replay.changeParameters { current, parameter in
        parameter.layer < first
          ? nil : current.tensor(like: parameter, layer: last - parameter.layer + first)
      }
    },
    Mistake(
      "layer-halves-exchanged",
      with: "the halves exchanged between the layers: each reads the reverse direction's first",
      "the next layer reads the forward direction's half first",
      needs: [.severalLayers, .twoDirections]
    ) { replay in
      replay.changeParameters { current, parameter in
        parameter.role == .weightIH && parameter.layer > 0
          ? current.tensor(parameter).halvesExchanged : nil
      }
    },
    Mistake(
      "later-layers-share-parameters", with: "one layer's parameters in all that have its shapes",
      "each layer has parameters of its own: weight_ih_l1, weight_ih_l2 and so on",
      needs: [.severalLayers, alikeLayers]
    ) { replay in
      let first = replay.firstAlike
      replay.changeParameters { current, parameter in
        parameter.layer < first ? nil : current.tensor(like: parameter, layer: first)
      }
    },
  ]

  /// Mistakes in where their results stand.
  static let ofResults: [Mistake] = [
    Mistake(
      "output-of-first-layer", with: "the first layer's output", "output is the last layer's",
      needs: [.severalLayers, .sequences]
    ) { $0.scan.shown = .firstLayer },
    Mistake(
      "final-states-layers-reversed", with: "the layers of the final states in reverse order",
      "PyTorch's first row is the first layer's", needs: [.severalLayers]
    ) { $0.moveStates($0.configuration.layersReversed) },
    Mistake(
      "final-states-direction-major", with: "the final states ordered by direction, then layer",
      "PyTorch's rows are ordered by layer, then direction: row 2·layer + direction",
      needs: [.twoDirections, .severalLayers]
    ) { $0.moveStates($0.configuration.directionMajor) },
  ]

  private static let alikeLayers = Requirement(
    "three layers, or input_size equal to what a layer gives"
  ) { $0.configuration.numLayers - $0.firstAlike > 1 }
}

extension Replay {
  /// The first layer that could take the parameters of every later one: 0 where the input is as
  /// large as what a layer gives, and else 1.
  fileprivate var firstAlike: Int {
    configuration.inputSize == configuration.inputSize(ofLayer: 1) ? 0 : 1
  }
}
