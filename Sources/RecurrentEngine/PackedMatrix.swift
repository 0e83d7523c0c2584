import RecurrentKernels
import TensorCore

/// A weight matrix (N, K) with its bias, packed for the kernels of one vector width.
///
/// The gates of a group of hidden units stand side by side, so that all sums of a
/// unit are made together. A matrix without gates has its vectors of outputs up to
/// four to a panel.
struct PackedMatrix<Scalar: KernelScalar>: Sendable {
  /// How the outputs become vectors.
  struct Shape: Sendable {
    /// Elements of a vector.
    let lanes: Int
    /// Outputs of one gate: H, or P for a projection.
    let units: Int
    /// Whether each vector of a panel is of another gate.
    let isGated: Bool
    let panels: Int
    let panelVectors: Int
    let lastPanelVectors: Int
    /// Vectors of a panel in a row of sums.
    let slots: Int
    /// Which of them each vector of the weights adds to.
    let slot: [Int]
    /// Elements of a row of sums.
    let sumsCount: Int

    /// - Parameter gates: the slot of each.
    init(gates: [Int], slots: Int, units: Int, lanes: Int) {
      self.lanes = lanes
      self.units = units
      self.slots = slots
      isGated = true
      panels = (units + lanes - 1) / lanes
      panelVectors = gates.count
      lastPanelVectors = gates.count
      slot = gates
      sumsCount = panels * slots * lanes
    }

    init(units: Int, lanes: Int) {
      let vectors = (units + lanes - 1) / lanes
      self.lanes = lanes
      self.units = units
      isGated = false
      panelVectors = min(4, vectors)
      panels = (vectors + panelVectors - 1) / panelVectors
      lastPanelVectors = vectors - (panels - 1) * panelVectors
      slots = panelVectors
      slot = Array(0..<panelVectors)
      sumsCount = vectors * lanes
    }

    /// The row of the weights that is the first lane of a vector.
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

  /// - Parameters:
  ///   - tensor: (gates · units, K).
  ///   - bias: by slot, `units` elements each, where the sums start; none for zeros.
  ///   - adding: so many vectors of each panel are added to what the sums hold, the
  ///     others replace it.
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

  /// Panel after panel, term after term. O(N · K).
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

  /// Vectors to multiply a matrix with: a pointer to the K elements of each.
  typealias Rows = UnsafePointer<UnsafeRawPointer?>

  /// Makes the products with some vectors into rows of sums.
  ///
  /// - Parameters:
  ///   - ahead: what is written next, so many bytes for each vector.
  ///   - sums: `shape.sumsCount` elements for each, `stride` apart.
  @specialized(where Scalar == Float)
  @specialized(where Scalar == Double)
  func addProducts(
    with rows: Rows, count: Int, to sums: UnsafeMutablePointer<Scalar>, stride: Int,
    ahead: UnsafePointer<rk_ahead>? = nil, _ kernels: rk_kernels
  ) {
    var own = description
    kernels.product(&own, rows, Int64(count), sums, Int64(stride), ahead)
  }

  private var description: rk_matrix {
    func slot(_ vector: Int) -> Int64 {
      vector < shape.slot.count ? Int64(shape.slot[vector]) : 0
    }
    return rk_matrix(
      weights: weights.start, terms: Int64(terms), panels: Int64(shape.panels),
      panel_vectors: Int64(shape.panelVectors),
      last_panel_vectors: Int64(shape.lastPanelVectors), slots: Int64(shape.slots),
      slot: (slot(0), slot(1), slot(2), slot(3)), bias: bias.start, adding: Int64(adding))
  }
}
