import RecurrentModel
import TensorCore

/// A tensor that goes through a scan, held as the vectors of its last axis, each of which can be
/// lost by itself.
struct ScanTensor<Vector: NumberVector>: Sendable {
  var shape: ChainShape
  /// How many vectors stand side by side on the last axis: in an `output` one for each direction,
  /// of which one can be lost without the other, and else 1.
  var pieces = 1
  /// The vectors, row-major.
  var vectors: [Vector]
  /// For each vector, whether rounding is amplified so much that nothing can be said of it.
  var isLost: [Bool]

  init(_ shape: ChainShape, pieces: Int = 1, _ vectors: [Vector], isLost: [Bool]) {
    self.shape = shape
    self.pieces = pieces
    self.vectors = vectors
    self.isLost = isLost
  }

  /// The same vector everywhere.
  init(_ shape: ChainShape, pieces: Int = 1, filledWith vector: Vector, isLost: Bool) {
    let rows = shape.shape.axes.dropLast().reduce(1, *)
    self.init(
      shape, pieces: pieces, Array(repeating: vector, count: rows * pieces),
      isLost: Array(repeating: isLost, count: rows * pieces))
  }

  /// The numbers of a tensor, without errors. A tensor of indices gives no vectors.
  init(exact tensor: Tensor, batchAxis: Int?, pieces: Int = 1) {
    let size = (tensor.shape.axes.last ?? 1) / pieces
    let elements =
      tensor.elementType.isFloatingPoint ? tensor.elements(as: Double.self) : []
    let count = size == 0 ? 0 : elements.count / size
    self.init(
      ChainShape(tensor.shape, batchAxis: batchAxis), pieces: pieces,
      (0..<count).map { Vector(Array(elements[$0 * size..<($0 + 1) * size])) },
      isLost: Array(repeating: false, count: count))
  }

  /// The same numbers with one vector on the last axis, which is lost where one of its pieces is.
  var joined: ScanTensor { joined(into: 1) }

  /// The same numbers with fewer, longer vectors side by side, each of which is lost where one of
  /// its parts is.
  func joined(into count: Int) -> ScanTensor {
    guard pieces > count else { return self }
    let size = pieces / count
    let starts = stride(from: 0, to: vectors.count, by: size)
    return ScanTensor(
      shape, pieces: count, starts.map { Vector(joining: Array(vectors[$0..<$0 + size])) },
      isLost: starts.map { isLost[$0..<$0 + size].contains(true) })
  }

  /// The same numbers with a vector for each of them.
  var apart: ScanTensor {
    ScanTensor(
      shape, pieces: shape.shape.axes.last ?? 1,
      vectors.flatMap { vector in
        (0..<vector.count).map { element in Vector(count: 1) { _ in vector[element] } }
      },
      isLost: zip(vectors, isLost).flatMap { Array(repeating: $1, count: $0.count) })
  }

  /// The values without their errors, in float64.
  var exactTensor: Tensor { Tensor(vectors.flatMap(\.values), shape: shape.shape) }
}

/// The results of one recurrent module in a scan.
struct ModuleTensors<Vector: NumberVector> {
  /// `output`; nil for a cell.
  var output: ScanTensor<Vector>?
  var hN: ScanTensor<Vector>
  /// `c_n`; nil where the module has no cell state.
  var cN: ScanTensor<Vector>?

  var named: [(name: String, tensor: ScanTensor<Vector>)] {
    [("output", output), ("h_n", hN), ("c_n", cN)].compactMap { name, tensor in
      tensor.map { (name, $0) }
    }
  }

  /// Puts numbers that were computed elsewhere in the place of these, which are then exact.
  ///
  /// - Parameter isLost: whether nothing can be said of what follows from such an h.
  mutating func replace(with given: RecurrentOutput, isLost: (Vector) -> Bool) {
    func taken(_ own: ScanTensor<Vector>, _ tensor: Tensor?) -> ScanTensor<Vector> {
      guard let tensor, tensor.shape == own.shape.shape else { return own }
      var taken = ScanTensor<Vector>(exact: tensor, batchAxis: nil, pieces: own.pieces)
      taken.shape = own.shape
      taken.isLost = taken.vectors.map(isLost)
      return taken
    }
    output = output.map { taken($0, given.output) }
    hN = taken(hN, given.hN)
  }

  /// The results with their vectors in other places.
  func moved(_ places: ResultPlaces) -> ModuleTensors {
    let all = named.map { places.isOfElements ? $1.apart : $1 }
    let (vectors, isLost) = (all.flatMap(\.vectors), all.flatMap(\.isLost))
    func taken(_ places: Tensor, _ own: ScanTensor<Vector>?) -> ScanTensor<Vector> {
      let numbers = ResultPlaces.numbers(places)
      let pieces = places.shape.axes.last ?? 1
      let size = numbers.first.map { vectors[$0].count } ?? 0
      var shape = ChainShape(
        Shape(places.shape.axes.dropLast() + [pieces * size]), batchAxis: own?.shape.batchAxis)
      shape.directions = own?.shape.directions ?? 1
      return ScanTensor(
        shape, pieces: pieces, numbers.map { vectors[$0] }, isLost: numbers.map { isLost[$0] })
    }
    return ModuleTensors(
      output: places.output.map { taken($0, output).joined(into: output?.pieces ?? 1) },
      hN: taken(places.hN, hN).joined,
      cN: places.cN.map { taken($0, cN).joined })
  }

  /// What the module hands on, in the given shape.
  func selected(_ select: ChainModule.Selection, _ shape: ChainShape) -> ScanTensor<Vector> {
    guard select == .hN else { return output ?? hN }
    let count = shape.shape.axes.dropLast().reduce(1, *)
    return ScanTensor(shape, hN.vectors.suffix(count), isLost: hN.isLost.suffix(count))
  }
}
