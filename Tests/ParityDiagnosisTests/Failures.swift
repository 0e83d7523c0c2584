import FixtureSupport
import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore

@testable import ParityDiagnosis

extension FixtureSuite {
  /// Modules with numbers to plant a bug into.
  static let plantable = modules.filter { parityCase in
    parityCase.manifest.expectedFailure == nil
      && (parityCase.call?.input.layout.batch ?? 0) > 0
  }
}

extension ParityCase {
  /// The failure of somebody who gives these outputs in the reference's place.
  func failure(_ outputs: Results) throws -> Failure {
    guard let chain else { throw NotApplicable(needs: "parameters") }
    return Failure(
      chain: chain, side: .outputs, outputs: outputs, oracle: try chain.oracleResults())
  }

  func failure(_ outputs: RecurrentOutput) throws -> Failure { try failure(Results(outputs)) }

  /// What an implementation with these mistakes gives, each made in all modules of its kind.
  func results(with mistakes: [Mistake]) throws -> Results {
    guard let chain else { throw NotApplicable(needs: "parameters") }
    var replay = Replay(chain)
    for mistake in mistakes { try mistake.apply(to: &replay, in: mistake.places(in: chain)) }
    return try replay.results().stored(in: chain.arithmetic)
  }
}

extension Mistake {
  static func named(_ name: String) -> Mistake {
    guard let mistake = all.first(where: { $0.name == name }) else {
      preconditionFailure("no mistake is called \(name)")
    }
    return mistake
  }
}

extension RecurrentOutput {
  /// With one element of `output` changed.
  func overwriting(_ offset: Int, by difference: Double) -> RecurrentOutput {
    guard let output else { return self }
    let changed = output.mapping { $0 == offset ? $1 + difference : $1 }
    return with(output: changed.rounded(to: output.elementType))
  }

  /// As a module of this arithmetic returns it.
  func stored(in arithmetic: Arithmetic) -> RecurrentOutput {
    func stored(_ tensor: Tensor) -> Tensor { tensor.rounded(to: arithmetic.storage) }
    return RecurrentOutput(output: output.map(stored), hN: stored(hN), cN: cN.map(stored))
  }
}
