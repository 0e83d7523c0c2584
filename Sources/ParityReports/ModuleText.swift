import RecurrentModel
import TensorCore

extension RecurrentConfiguration {
  /// The constructor's call in PyTorch, without arguments at their defaults: `LSTM(5, 6)`.
  var pythonText: String {
    var arguments = ["\(inputSize)", "\(hiddenSize)"]
    if numLayers != 1 { arguments.append("num_layers=\(numLayers)") }
    if !bias { arguments.append("bias=False") }
    if batchFirst { arguments.append("batch_first=True") }
    if bidirectional { arguments.append("bidirectional=True") }
    if nonlinearity != .tanh { arguments.append("nonlinearity='\(nonlinearity.rawValue)'") }
    if projSize > 0 { arguments.append("proj_size=\(projSize)") }
    return "\(module.rawValue)(\(arguments.joined(separator: ", ")))"
  }
}

extension ChainModule {
  /// The constructor's call in PyTorch, behind the module's name: `head: Linear(12, 3)`.
  var pythonText: String {
    let text: String =
      switch layer {
      case .embedding(let weight, let padding):
        "Embedding(\(weight.shape.axes[0]), \(weight.shape.axes[1])"
          + (padding.map { ", padding_idx=\($0)" } ?? "") + ")"
      case .recurrent(let configuration, _, let select):
        configuration.pythonText + (select == .output ? "" : " → h_n")
      case .directionMerge(let mode): "DirectionMerge('\(mode.rawValue)')"
      case .linear(let weight, let bias):
        "Linear(\(weight.shape.axes[1]), \(weight.shape.axes[0])"
          + (bias == nil ? ", bias=False" : "") + ")"
      case .softmax(let axis), .logSoftmax(let axis): "\(className)(dim=\(axis))"
      }
    return "\(name): \(text)"
  }
}
