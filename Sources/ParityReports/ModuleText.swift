import RecurrentModel

extension RecurrentConfiguration {
  /// As a user of PyTorch would construct it, arguments at their defaults left out.
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
