import RecurrentKernels
import TensorCore

/// A weight matrix (N, K) with its bias, reordered ("packed") for the kernels of one vector
/// width: the N outputs become vectors, and up to four vectors a panel, which a kernel computes
/// together.
///
/// In a matrix with gates, the vectors of a panel are the gates of the same hidden units, so
/// that all sums of a unit are at hand at the same time. Without gates, a panel has four
/// vectors of outputs that follow each other.
struct PackedMatrix<Scalar: KernelScalar>: Sendable {
  /// How the outputs become vectors and panels.
  struct Shape: Sendable {
    /// The number of elements of a vector.
    let lanes: Int
    /// The number of outputs of one gate: H, or P for a projection.
    let units: Int
    /// Whether the vectors of a panel are the gates of the same units.
    let isGated: Bool
    let panels: Int
    let panelVectors: Int
    let lastPanelVectors: Int
    /// The number of vectors that a row of sums has for each panel.
    let slots: Int
    /// For each vector of a panel, which of these slots it adds to.
    let slot: [Int]
    /// The number of elements of a row of sums.
    let sumsCount: Int

    /// - Parameters:
    ///   - gates: the slot, 0 to 3, that each gate adds to; nil for a matrix without gates.
    ///   - units: the number of outputs, of one gate where there are gates.
    init(gates: [Int]?, units: Int, lanes: Int) {
      let vectors = (units + lanes - 1) / lanes
      self.lanes = lanes
      self.units = units
      isGated = gates != nil
      panelVectors = gates?.count ?? min(4, vectors)
      panels = isGated ? vectors : (vectors + panelVectors - 1) / panelVectors
      lastPanelVectors = isGated ? panelVectors : vectors - (panels - 1) * panelVectors
      slots = isGated ? 4 : panelVectors
      slot = gates ?? Array(0..<panelVectors)
      sumsCount = (isGated ? panels * slots : vectors) * lanes
    }

    /// The hidden unit, and the row of the weights, in the first lane of a vector.
    func firstRow(panel: Int, vector: Int) -> (unit: Int, row: Int) {
      let unit = (isGated ? panel : panel * panelVectors + vector) * lanes
      return (unit, isGated ? vector * units + unit : unit)
    }
  }

  let shape: Shape
  private let terms: Int
  private let weights: Buffer<Scalar>
  private let bias: Buffer<Scalar>
  private let adding: Int

  /// Copies the weights into their new order. O(N·K).
  ///
  /// - Parameters:
  ///   - tensor: (gates · units, K).
  ///   - bias: the values that the sums start from, `units` for each slot; none for zeros.
  ///   - adding: the number of vectors of each panel whose products are added to what the sums
  ///     hold already. The others replace it.
  init(_ tensor: Tensor, _ shape: Shape, bias: [[Scalar]], adding: Int) {
    self.shape = shape
    self.adding = adding
    terms = tensor.shape.axes[1]
    weights = Buffer(
      repeating: 0, count: shape.panels * shape.panelVectors * shape.lanes * terms)
    self.bias = Buffer(repeating: 0, count: shape.sumsCount)
    Self.pack(tensor, shape, into: weights.start)
    for (slot, values) in bias.enumerated() {
      for (unit, value) in values.enumerated() {
        let vector = unit / shape.lanes
        let place = shape.isGated ? vector * shape.slots + slot : vector
        self.bias.start[place * shape.lanes + unit % shape.lanes] = value
      }
    }
  }

  /// Writes panel after panel, and in each term after term.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  private static func pack(
    _ tensor: Tensor, _ shape: Shape, into target: UnsafeMutablePointer<Scalar>
  ) {
    let terms = tensor.shape.axes[1]
    let lanes = shape.lanes
    tensor.withElements(as: Scalar.self) { source in
      for panel in 0..<shape.panels {
        let width = panel == shape.panels - 1 ? shape.lastPanelVectors : shape.panelVectors
        for vector in 0..<width {
          let start = target + (panel * shape.panelVectors * terms + vector) * lanes
          let first = shape.firstRow(panel: panel, vector: vector)
          for lane in 0..<min(lanes, shape.units - first.unit) {
            let row = (first.row + lane) * terms
            for term in 0..<terms { start[term * width * lanes + lane] = source[row + term] }
          }
        }
      }
    }
  }

  /// Computes W·x + bias for some vectors x, each into a row of sums.
  ///
  /// - Parameters:
  ///   - rows: a pointer to the K elements of each vector.
  ///   - sums: the first row of sums, of `shape.sumsCount` elements.
  ///   - stride: the number of elements from one row of sums to the next.
  ///   - ahead: memory that will be written next, which the kernel fetches into the cache
  ///     meanwhile; nil for none.
  /// - Complexity: O(count · N · K).
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addProducts(
    with rows: UnsafePointer<UnsafeRawPointer?>, count: Int,
    to sums: UnsafeMutablePointer<Scalar>, stride: Int, ahead: UnsafePointer<rk_ahead>? = nil,
    _ kernels: rk_kernels
  ) {
    func slot(_ vector: Int) -> Int64 {
      vector < shape.slot.count ? Int64(shape.slot[vector]) : 0
    }
    var matrix = rk_matrix(
      weights: weights.start, terms: Int64(terms), panels: Int64(shape.panels),
      panel_vectors: Int64(shape.panelVectors),
      last_panel_vectors: Int64(shape.lastPanelVectors), slots: Int64(shape.slots),
      slot: (slot(0), slot(1), slot(2), slot(3)), bias: bias.start, adding: Int64(adding))
    kernels.product(&matrix, rows, Int64(count), sums, Int64(stride), ahead)
  }
}
