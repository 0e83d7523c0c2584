import ParityFixtures
import RecurrentModel
import TensorComparison
import TensorCore

/// What one axis of a recurrent module's result stands for.
enum ResultAxis: Sendable {
  case layer
  case direction
  case sequence
  case step
  /// An element of one direction's vector: P of them in `output` and `h_n`, H in `c_n`.
  case unit
}

/// A result of a recurrent module as PyTorch lays it out, told by what its axes stand for, so that
/// another layout of the same numbers, or a part of them, can be looked for in a tensor.
///
/// ```swift
/// let layout = ResultLayout("h_n", in: moduleLayout, shape: [4, 3, 6])
/// layout?.axes  // [[.layer, .direction], [.sequence], [.unit]]
/// ```
struct ResultLayout {
  /// The result's name in its module: `output`, `h_n` or `c_n`.
  let name: String
  let shape: Shape
  /// For each axis, what it stands for; of two things the outer first.
  let axes: [[ResultAxis]]
  let batchFirst: Bool
  private let sizes: [ResultAxis: Int]

  /// One index along each of the axes that a part of a result leaves out.
  typealias Pick = [ResultAxis: Int]

  /// - Parameters:
  ///   - name: as the case has it, such as `bilstm.h_n`.
  ///   - shape: the one that the result has in PyTorch.
  /// - Returns: nil for a tensor that is no result of this module, and for a cell's.
  init?(_ name: String, in module: ModuleLayout, shape: Shape) {
    guard module.gives(name), let own = name.split(separator: ".").last,
      !module.contract.layout.isCell
    else { return nil }
    let (configuration, layout) = (module.configuration, module.contract.layout)
    self.name = String(own)
    self.shape = shape
    batchFirst = layout.batchFirst
    sizes = [
      .layer: configuration.numLayers, .direction: configuration.directions.count,
      .sequence: layout.batch, .step: layout.steps,
      .unit: own == "c_n" ? configuration.hiddenSize : configuration.outputSize,
    ]
    let sequence: [[ResultAxis]] = layout.isBatched ? [[.sequence]] : []
    axes =
      own == "output"
      ? (batchFirst ? sequence + [[.step]] : [[.step]] + sequence) + [[.direction, .unit]]
      : [[.layer, .direction]] + sequence + [[.unit]]
    guard axes.map(size) == shape.axes else { return nil }
  }

  func size(_ axis: ResultAxis) -> Int { sizes[axis] ?? 1 }

  func size(_ axes: [ResultAxis]) -> Int { axes.reduce(1) { $0 * size($1) } }

  /// D·L, the rows of a state.
  var rows: Int { size([.layer, .direction]) }

  /// Whether a tensor's shape is that of these axes, wherever either has axes of size 1.
  func fits(_ axes: [[ResultAxis]], _ found: Shape) -> Bool {
    axes.map(size).filter { $0 != 1 } == found.axes.filter { $0 != 1 }
  }

  /// The expression that makes PyTorch's layout of a tensor with other axes; nil where the tensor
  /// lacks one.
  ///
  /// - Parameter variable: the tensor's name in the expression.
  func expression(from axes: [[ResultAxis]], _ found: Shape, variable: String) -> String? {
    let own = self.axes.flatMap(\.self).filter { size($0) != 1 }
    let other = axes.flatMap(\.self).filter { size($0) != 1 }
    guard Set(own) == Set(other) else { return nil }
    let runs = Self.runs(of: own, in: axes.map { $0.filter { size($0) != 1 } })
    let given = other.compactMap { axis in runs.first { $0.first == axis } }
    let order = runs.compactMap(given.firstIndex)
    var expression = variable
    if order != Array(order.indices) {
      let split = given.map(size)
      if split != found.axes { expression += ".reshape\(Shape.text(split))" }
      expression += ".transpose\(Shape.text(order))"
    }
    if expression == variable || runs.map(size) != shape.axes {
      expression += ".reshape\(Shape.text(shape.axes))"
    }
    return expression
  }

  /// One list of axes, of which those stay together that are one axis of another tensor and follow
  /// each other in both.
  private static func runs(of own: [ResultAxis], in axes: [[ResultAxis]]) -> [[ResultAxis]] {
    var runs: [[ResultAxis]] = []
    for axis in own {
      let group = axes.first { $0.contains(axis) } ?? []
      let before = group.firstIndex(of: axis).flatMap { $0 > 0 ? group[$0 - 1] : nil }
      if let before, runs.last?.last == before {
        runs[runs.count - 1].append(axis)
      } else {
        runs.append([axis])
      }
    }
    return runs
  }

  // MARK: - Numbers

  /// The most places at which a part of a result is looked for.
  private static let mostPicks = 4096

  /// Where the numbers of a tensor with other axes, of which it may lack some, stand in a tensor
  /// of this layout.
  ///
  /// - Returns: the indices along the axes that it lacks; nil where the numbers stand nowhere, or
  ///   none of them is finite.
  /// - Complexity: O(elements), and O(1) for each place whose first number is another.
  func pick(of found: Tensor, _ axes: [[ResultAxis]], in expected: Tensor, _ limits: Limits)
    -> Pick?
  {
    let strides = strides
    let given = axes.flatMap(\.self)
    // An axis that this layout does not have, such as the steps of a state, has no numbers in it.
    guard given.allSatisfy({ strides[$0] != nil || size($0) == 1 }) else { return nil }
    let missing = self.axes.flatMap(\.self).filter { !given.contains($0) && size($0) > 1 }
    guard size(missing) <= Self.mostPicks else { return nil }
    let places = Shape(missing.map(size))
    let index = Shape(given.map(size))
    let steps = given.map { strides[$0] ?? 0 }
    func agrees(from start: Int) -> Bool {
      var hasFinite = false
      for offset in 0..<found.count {
        let place = zip(index.index(at: offset), steps).reduce(start) { $0 + $1.0 * $1.1 }
        let (own, other) = (found.double(at: offset), expected.double(at: place))
        guard limits.pass(own, other, offset: offset) else { return false }
        hasFinite = hasFinite || own.isFinite && other.isFinite
      }
      return hasFinite
    }
    for place in 0..<places.elementCount {
      let pick = Pick(uniqueKeysWithValues: zip(missing, places.index(at: place)))
      let start = pick.reduce(0) { $0 + $1.value * (strides[$1.key] ?? 0) }
      if agrees(from: start) { return pick }
    }
    return nil
  }

  /// How far apart two elements are whose indices along an axis differ by 1.
  private var strides: [ResultAxis: Int] {
    let flat = axes.flatMap(\.self)
    return Dictionary(
      uniqueKeysWithValues: flat.indices.map { (flat[$0], size(Array(flat[($0 + 1)...]))) })
  }
}
