import ArchiveComparison
import ParityFixtures
import ParityJudging
import TensorArchives
import TensorComparison
import TensorCore

/// What a stage that is wrong looks like. Each symptom is tried on the value that is off most.
struct Symptoms {
  let reference: ReferenceStages
  let comparer: ValueComparer
  /// Whether no stage before it was computed and agreed: then the whole implementation may be in a
  /// coarser arithmetic.
  let isFirstComputed: Bool

  /// The most elements that are held in memory to look for symptoms, and of how many other values
  /// the first are compared.
  private static let largestElements = 1 << 22
  private static let sample = 256

  /// - Returns: clauses, those that say most first; empty where nothing is known.
  func found(_ result: StageResult, _ actual: Trace.Actual) -> [String] {
    guard let worst = result.worst, let value = reference.values[worst.name] else {
      return result.values.compactMap { shapeText($0) }
    }
    do throws(ArchiveError) {
      guard let source = try actual(worst.name) else { return [] }
      let expected = try value.source()
      let count = expected.header.shape.elementCount
      guard count <= Self.largestElements, count > 0, source.header.shape.elementCount == count
      else { return [] }
      let pair = SymptomPair(
        actual: try source.block(0..<count).elements(as: Double.self),
        expected: try expected.block(0..<count).elements(as: Double.self),
        sigma: try value.sigma?().block(0..<count).elements(as: Double.self),
        shape: expected.header.shape)
      if let other = try otherValue(pair, besides: worst.name) {
        return [
          "it holds what \(other) is in the reference: captures that were exchanged or overwritten"
        ]
      }
      let symptoms = pair.symptoms
      if !symptoms.isEmpty { return symptoms }
      let isExplained = result.replay?.result.diagnosis?.explanations.isEmpty == false
      let arithmetic = isFirstComputed && !isExplained ? coarser(worst) : nil
      return [arithmetic, pair.places].compactMap(\.self)
    } catch {
      return []
    }
  }

  private func shapeText(_ value: ValueResult) -> String? {
    guard case .shape(let found) = value.finding else { return nil }
    return "\(value.name): expected the shape \(value.shape), found \(found)"
  }

  /// The name of another value of the same shape that has the wrong numbers.
  private func otherValue(
    _ pair: SymptomPair, besides name: String
  ) throws(ArchiveError) -> String? {
    let start = Array(pair.actual.prefix(Self.sample))
    guard Set(start).count > 3 else { return nil }
    for stage in reference.stages {
      for other in stage.outputs where other != name {
        guard let source = try reference.values[other]?.source(),
          source.header.shape == pair.shape, source.header.elementType.isFloatingPoint
        else { continue }
        let own = try source.block(0..<start.count).elements(as: Double.self)
        if pair.isNear(start, own) { return other }
      }
    }
    return nil
  }

  /// The coarser arithmetic of which these errors would be the rounding.
  private func coarser(_ value: ValueResult) -> String? {
    guard let tally = value.tally, value.hasSigma, tally.inexact == 0, value.storage == nil else {
      return nil
    }
    let unit = (comparer.actualArithmetic ?? reference.arithmetic).unitRoundoff
    for arithmetic in [Arithmetic.float32, .float16, .bfloat16] {
      let ratio = arithmetic.unitRoundoff / unit
      // σ of the difference grows from √2 to √(1 + ratio²).
      let growth = ((1 + ratio * ratio) / 2).squareRoot()
      guard ratio > 1, (tally.largestZ?.value ?? 0) / growth <= value.largestZ else { continue }
      let rms = tally.rmsZ / growth
      guard 0.05...2 ~= rms else { continue }
      let name = arithmetic == .float16 ? "float16 or TF32" : arithmetic.rawValue
      return "off by the rounding of \(name): if that is meant, say "
        + "--actual-arithmetic \(arithmetic.rawValue)"
    }
    return nil
  }
}
