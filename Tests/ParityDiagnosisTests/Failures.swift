import ParityFixtures
import ParityJudging
import RecurrentModel
import TensorCore
import TestSupport

@testable import ParityDiagnosis

/// The repository's fixtures, loaded once.
enum FixtureSuite {
  static let locations = Discovery(paths: [Repository.fixtures]).cases
  /// Those with numbers to plant a bug into.
  static let cases = locations.compactMap { try? ParityCase.load($0) }.filter { parityCase in
    parityCase.manifest.expectedFailure == nil
      && (parityCase.call?.input.layout.batch ?? 0) > 0
  }

  static func named(_ name: String) throws -> ParityCase {
    try ParityCase.load(
      locations.first { $0.name == name } ?? CaseLocation(name: name, path: name))
  }
}

extension ParityCase {
  /// The failure of somebody who gives these outputs in the reference's place.
  func failure(_ outputs: RecurrentOutput) throws -> Failure {
    guard let call else { throw NotApplicable("no parameters", needs: "parameters") }
    return Failure(
      call: call, side: .outputs, outputs: outputs,
      oracle: call.oracleOutputs)
  }

  /// What an implementation with these mistakes gives.
  func outputs(with mistakes: [Mistake]) throws -> RecurrentOutput {
    guard let call else { throw NotApplicable("no parameters", needs: "parameters") }
    var replay = Replay(call)
    for mistake in mistakes { try mistake.apply(to: &replay) }
    return replay.outputs().stored(in: call.arithmetic)
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
    return RecurrentOutput(output: changed.rounded(to: output.elementType), hN: hN, cN: cN)
  }
}
