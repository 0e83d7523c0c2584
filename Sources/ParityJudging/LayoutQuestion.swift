package import RecurrentModel
package import TensorComparison
package import TensorCore

/// The question that people ask about two bare tensors: do `output` and `h_n`
/// hang together as PyTorch's do?
package struct LayoutQuestion: Sendable {
  package let contract: LayoutContract
  package let findings: [LayoutFinding]
  /// What would make a violated contract hold, where something would.
  package let hint: Hint?

  package enum Hint: Sendable, Equatable {
    /// A known way to get the layout wrong, as a sentence.
    case mistake(String)
    /// The other order of the axes B and T.
    case batchFirst(Bool)
    /// That many steps of each sequence, as the zeros at the ends of `output` suggest.
    case lengths([Int])
  }

  package var holds: Bool { findings.allSatisfy(\.holds) }

  /// Whether a direction has nothing to compare that could tell it from another.
  package var isVacuous: Bool { findings.contains { !$0.canFail } }

  /// - Parameters: as `LayoutContract.inferred`, and `limits`: `.bits`, unless
  ///   the tensors were rounded.
  /// - Throws: `InvalidValue` where no module gives tensors of these shapes.
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

  /// How many steps each sequence has when steps of nothing but zeros at its
  /// end are padding; at least 1.
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
