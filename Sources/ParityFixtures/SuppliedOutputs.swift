import RecurrentModel
package import TensorCore

/// What somebody else's implementation made of a case.
package struct SuppliedOutputs: Sendable {
  /// All that the case requires, of any shapes, by the names in `outputs/`.
  package let outputs: Result<[String: Tensor], Missing>
  /// What the program that made them printed, its last lines; empty where none is known.
  package let printed: String

  /// Why there are no outputs to judge.
  package struct Missing: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
  }

  package init(outputs: Result<[String: Tensor], Missing>, printed: String = "") {
    self.outputs = outputs
    self.printed = printed
  }

  /// - Parameter tensors: held to what is asked for, but for their shapes.
  package init(_ tensors: [String: Tensor], for request: OutputsRequest) {
    do throws(InvalidValue) {
      try request.check(tensors)
      self.init(outputs: .success(tensors))
    } catch {
      self.init(outputs: .failure(Missing("\(error)")))
    }
  }
}

/// Where outputs come from that are judged in place of the engine's.
package protocol OutputsSource: Sendable {
  /// - Returns: nil where this source has nothing to do with the case, which is then
  ///   judged by itself.
  func outputs(for request: OutputsRequest) async -> SuppliedOutputs?
}
