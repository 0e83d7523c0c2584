package import RecurrentModel
package import TensorComparison
import TensorCore

/// Holds the results of a recurrent module to the layout contract.
///
/// ```swift
/// let findings = LayoutJudge.findings(contract, outputs, side: .reference, limits: .bits)
/// findings.allSatisfy(\.holds)
/// ```
package enum LayoutJudge {
  /// Checks each identity of the contract, in the contract's order. Where one is violated, and
  /// there is a known mistake under which all of them would hold, the findings name it.
  ///
  /// - Parameters:
  ///   - module: the module's name in the chain; empty for a recurrent module by itself.
  ///   - limits: what the two sides of an identity are held to: `.bits`, unless the case states a
  ///     tolerance. The padding is always held to `.bits`.
  /// - Returns: nothing for a cell, and for tensors that do not have the contract's shapes.
  package static func findings(
    _ contract: LayoutContract, _ outputs: RecurrentOutput, side: Side, module: String = "",
    limits: Limits
  ) -> [LayoutFinding] {
    guard let output = outputs.output, contract.fits(output: output.shape, hN: outputs.hN.shape)
    else { return [] }
    let hN = outputs.hN
    func differences(_ limits: Limits) -> [(LayoutIdentity, TensorDifference)] {
      contract.identities.map { ($0, difference($0, output: output, hN: hN, limits)) }
    }
    var found = differences(limits)
    var mistake: String?
    if isViolated(found) {
      mistake = self.mistake(contract, output: output, hN: hN, limits)
    } else if limits != .bits, isViolated(differences(.bits)),
      let exact = self.mistake(contract, output: output, hN: hN, .bits)
    {
      // A wide tolerance must not hide what another reading explains bit for bit.
      found = differences(.bits)
      mistake = exact
    }
    return found.map { identity, difference in
      LayoutFinding(
        side: side, statement: identity.statement(in: module), difference: difference,
        direction: identity.direction,
        mistake: difference.agrees || identity.direction == nil ? nil : mistake)
    }
  }

  /// Whether an identity other than the padding's does not hold.
  private static func isViolated(_ differences: [(LayoutIdentity, TensorDifference)]) -> Bool {
    differences.contains { $0.0.direction != nil && !$0.1.agrees }
  }

  /// The first known mistake under which the identities of all directions hold.
  private static func mistake(
    _ contract: LayoutContract, output: Tensor, hN: Tensor, _ limits: Limits
  ) -> String? {
    LayoutReading.mistaken(contract).first { _, identities in
      identities.allSatisfy { identity in
        let difference = difference(identity, output: output, hN: hN, limits)
        return difference.agrees && difference.measured.finiteCount > 0
      }
    }?.mistake
  }

  private static func difference(
    _ identity: LayoutIdentity, output: Tensor, hN: Tensor, _ limits: Limits
  ) -> TensorDifference {
    let sides = identity.sides(output: output, hN: hN)
    return TensorDifference(
      of: sides.output, from: sides.state, within: identity.direction == nil ? .bits : limits)
  }
}
