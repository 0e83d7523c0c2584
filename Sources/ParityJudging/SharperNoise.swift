import RecurrentModel
import RoundingNoise
import TensorComparison
import TensorCore

extension NoiseLimits {
  /// How many replicas measure σ again where a case would fail on few elements just beyond it.
  ///
  /// Sixteen replicas know a σ to ±18 %, so that the z of a right element is distributed like a t
  /// of 16 degrees of freedom: by chance alone, one of 1.8 million elements whose errors are as
  /// large as their σ says has a z above 8. Of 64 replicas it is one in 30 billion (3.4e-11), and
  /// 10⁸ elements exceed 8 in three runs of a thousand. PyTorch's own errors are smaller than σ
  /// says, at their root mean square 0.6 of it; with that, no run of 10⁸ would see one.
  static let sharpReplicas = 64

  /// Up to how many times its limit an element, or a root mean square or a drift, may be, for its σ to be
  /// measured again.
  static let sharpenedReach = (element: 2.0, rootMeanSquare: 1.5)
}

extension TensorFinding {
  /// The row-major offsets of the elements that are beyond the limits: none where it is the root
  /// mean square alone. nil where an element or the root mean square is so far beyond that no
  /// sharper σ would make it pass.
  ///
  /// - Complexity: O(elements).
  fileprivate var offsetsJustBeyond: [Int]? {
    guard case .noise(let limits) = difference.limits, let noise = difference.noise,
      max(
        noise.rms / limits.largestRMS(count: noise.count),
        noise.drift / limits.largestDrift(count: noise.count))
        <= NoiseLimits.sharpenedReach.rootMeanSquare
    else { return nil }
    let reach = limits.largestZ * NoiseLimits.sharpenedReach.element
    var offsets: [Int] = []
    for offset in limits.sigma.indices {
      let (own, other) = elements(at: offset)
      if difference.limits.pass(own, other, offset: offset) { continue }
      guard limits.isJudged[offset], abs(own - other) <= reach * limits.sigma[offset] else {
        return nil
      }
      offsets.append(offset)
    }
    return offsets
  }
}

extension Findings {
  /// The sequences whose noise is to be measured again with more replicas, ascending: those of
  /// the elements that are just beyond their limits, and all where it is a root mean square that
  /// is. nil where nothing fails, or where more replicas would not change that.
  func sequencesToSharpen(_ chain: Chain) -> [Int]? {
    let failed = comparisons.filter { !$0.difference.agrees }
    guard !failed.isEmpty else { return nil }
    var sequences: Set<Int> = []
    for finding in failed {
      guard let offsets = finding.offsetsJustBeyond else { return nil }
      let own = offsets.compactMap {
        chain.sequence(of: $0, finding.name, finding.difference.shape)
      }
      let isWhole = offsets.isEmpty || own.count < offsets.count
      sequences.formUnion(isWhole ? Array(0..<(chain.shapes.batch?.size ?? 1)) : own)
    }
    return sequences.sorted()
  }
}

extension Chain {
  /// The sequence that an element of a result belongs to; nil where sequences are not told apart.
  ///
  /// - Parameters:
  ///   - offset: row-major, in the result's tensor.
  ///   - name: the result's.
  ///   - shape: of that tensor.
  fileprivate func sequence(of offset: Int, _ name: String, _ shape: Shape) -> Int? {
    guard let batch = shapes.batch, let axis = batch.axes[name] else { return nil }
    return offset / shape.axes[(axis + 1)...].reduce(1, *) % batch.size
  }
}
