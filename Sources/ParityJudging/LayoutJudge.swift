package import RecurrentModel
package import TensorComparison
package import TensorCore

/// Holds two tensors to the layout contract.
package enum LayoutJudge {
  /// One finding for each identity, in the contract's order. Where one is
  /// violated, each carries the known mistake under which all would hold.
  ///
  /// - Parameter limits: `.bits`, unless the case states a tolerance. Padding is
  ///   always held to `.bits`.
  package static func findings(
    _ contract: LayoutContract, output: Tensor, hN: Tensor, side: LayoutFinding.Side,
    limits: Limits
  ) -> [LayoutFinding] {
    let differences = contract.identities.map { identity in
      (identity, difference(identity, output: output, hN: hN, limits))
    }
    let isViolated = differences.contains { $0.0.direction != nil && !$0.1.agrees }
    let mistake = isViolated ? mistake(contract, output: output, hN: hN, limits) : nil
    return differences.map { identity, difference in
      LayoutFinding(
        side: side, statement: identity.statement, difference: difference,
        mistake: difference.agrees || identity.direction == nil ? nil : mistake)
    }
  }

  /// The first known mistake under which both identities hold.
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
