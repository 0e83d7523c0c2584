package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The question that people ask most, about two bare tensors: do `output` and `h_n` hang together
/// as PyTorch's do? And the answer.
///
/// ```swift
/// let question = try LayoutQuestion(
///   output: output, hN: hN, lengths: nil, batchFirst: true, hiddenSize: nil)
/// question.holds  // false
/// question.hint   // .mistake("the directions of output are swapped: …")
/// ```
///
/// It needs no case, no parameters and no module, and so does not say whether the numbers are
/// right.
package struct LayoutQuestion: Sendable {
  /// The contract that the tensors' shapes tell.
  package let contract: LayoutContract
  package let findings: [LayoutFinding]
  /// Something under which a violated contract would hold; nil where it holds, and where nothing
  /// is found.
  package let hint: Hint?

  /// What would make a violated contract hold.
  package enum Hint: Sendable, Equatable {
    /// A known way to get the layout wrong, as a sentence.
    case mistake(String)
    /// The contract holds with the axes B and T in this order, which is not the one that was
    /// taken.
    case batchFirst(Bool)
    /// The contract holds where the sequences have these lengths, which the zeros at the ends of
    /// `output` suggest.
    case lengths([Int])
  }

  package var holds: Bool { findings.allSatisfy(\.holds) }

  /// Whether some direction has only elements that look the same wherever they stand, such as
  /// zeros, so that the answer says nothing about it.
  package var isVacuous: Bool { findings.contains { !$0.canFail } }

  /// - Parameters:
  ///   - output: (B, T, D·P), (T, B, D·P) or (T, D·P).
  ///   - hN: (D·L, B, P) or (D·L, P).
  ///   - lengths: the length of each sequence; nil when not packed.
  ///   - batchFirst: nil where it is not known; see `LayoutContract.inferred`.
  ///   - hiddenSize: P, where the user states it.
  ///   - limits: `.bits`, unless the tensors were rounded.
  /// - Throws: `InvalidValue` where no module gives tensors of these shapes, and for integers.
  package init(
    output: Tensor, hN: Tensor, lengths: [Int]?, batchFirst: Bool?, hiddenSize: Int?,
    limits: Limits = .bits
  ) throws(InvalidValue) {
    for (name, tensor) in [("output", output), ("h_n", hN)] {
      guard tensor.elementType.isFloatingPoint else {
        throw InvalidValue(name, expected: "floats", found: "\(tensor.elementType)")
      }
    }
    func contract(_ lengths: [Int]?, _ batchFirst: Bool?) throws(InvalidValue) -> LayoutContract {
      try .inferred(
        output: output.shape, hN: hN.shape, lengths: lengths, batchFirst: batchFirst,
        hiddenSize: hiddenSize)
    }
    func findings(_ contract: LayoutContract) -> [LayoutFinding] {
      LayoutJudge.findings(
        contract, RecurrentOutput(output: output, hN: hN, cN: nil), side: .reference,
        limits: limits)
    }
    let own = try contract(lengths, batchFirst)
    self.contract = own
    self.findings = findings(own)
    guard self.findings.contains(where: { !$0.holds }) else {
      hint = nil
      return
    }
    if let mistake = self.findings.lazy.compactMap(\.mistake).first {
      hint = .mistake(mistake)
      return
    }
    var hint: Hint?
    if batchFirst == nil, let other = try? contract(lengths, !own.layout.batchFirst),
      findings(other).allSatisfy(\.holds)
    {
      hint = .batchFirst(other.layout.batchFirst)
    } else if lengths == nil {
      let seen = Self.lengthsByZeros(output, own)
      if seen.contains(where: { $0 < own.layout.steps }), let ragged = try? contract(seen, nil),
        findings(ragged).allSatisfy(\.holds)
      {
        hint = .lengths(seen)
      }
    }
    self.hint = hint
  }

  /// The length of each sequence, at least 1, where the steps at its end that hold nothing but
  /// zeros are taken for padding.
  private static func lengthsByZeros(_ output: Tensor, _ contract: LayoutContract) -> [Int] {
    let features = contract.directions * contract.outputSize
    return (0..<contract.layout.batch).map { sequence in
      let last = (1..<contract.layout.steps).last { step in
        let start = contract.layout.row(sequence: sequence, step: step) * features
        return (start..<start + features).contains { output.double(at: $0) != 0 }
      }
      return (last ?? 0) + 1
    }
  }
}
