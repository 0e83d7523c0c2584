import RecurrentModel
package import TensorCore

/// What another implementation computed for a case, in place of the engine.
package struct SuppliedOutputs: Sendable {
  /// All outputs that the case requires, by their names without `outputs/`, or why they are
  /// missing. Their shapes are not checked: to judge these is the judge's task.
  package let outputs: Result<[String: Tensor], Missing>
  /// The last lines that the program printed which computed them; empty where it printed
  /// nothing, or there was no program.
  package let printed: String

  /// Why there are no outputs to judge.
  package struct Missing: Error, CustomStringConvertible {
    package let description: String
    /// Whether the program has declined the case, which is then skipped, and has not failed.
    package let isDeclined: Bool

    package init(_ description: String, isDeclined: Bool = false) {
      self.description = description
      self.isDeclined = isDeclined
    }
  }

  package init(outputs: Result<[String: Tensor], Missing>, printed: String = "") {
    self.outputs = outputs
    self.printed = printed
  }

  /// Checks that `tensors` are the outputs that were asked for, of any shapes.
  package init(_ tensors: [String: Tensor], for request: OutputsRequest) {
    do throws(InvalidValue) {
      try request.check(tensors)
      self.init(outputs: .success(tensors))
    } catch {
      self.init(outputs: .failure(Missing("\(error)")))
    }
  }
}

/// A source of outputs that are judged in place of the engine's, such as a folder of files or
/// a program that is run.
package protocol OutputsSource: Sendable {
  /// - Returns: the outputs, or why there are none; nil where this source can't have outputs
  ///   for such a case, which is then judged without it.
  func outputs(for request: OutputsRequest) async -> SuppliedOutputs?

  /// Gives back what it holds, such as a program that runs. Called once, when no more outputs are
  /// asked for.
  func finish() async
}

extension OutputsSource {
  package func finish() async {}
}
