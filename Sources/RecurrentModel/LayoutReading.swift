/// A way to look for the last layer's states in `output` and `h_n`: PyTorch's own, or one of the
/// known ways to get it wrong.
///
/// Where tensors break the contract and yet keep it under a wrong reading, that reading says what
/// mistake was made.
package struct LayoutReading: Sendable {
  /// What has gone wrong where the contract holds under this reading, as a sentence; empty for
  /// PyTorch's own.
  package let mistake: String

  /// Whether the reading differs from PyTorch's for tensors of this layout: two directions that
  /// are swapped need two directions.
  private let applies: @Sendable (LayoutContract) -> Bool
  /// Which half of the last axis of `output` belongs to a direction: 0 or 1.
  let half: @Sendable (Direction) -> Int
  /// The step at which a direction ends its reading of a sequence.
  let step: @Sendable (Direction, _ sequence: Int, LayoutContract) -> Int
  /// The row of `h_n` that holds the last layer's state of a direction.
  let row: @Sendable (Direction, LayoutContract) -> Int

  private init(
    _ mistake: String,
    applies: @escaping @Sendable (LayoutContract) -> Bool,
    half: @escaping @Sendable (Direction) -> Int = \.rawValue,
    step: @escaping @Sendable (Direction, Int, LayoutContract) -> Int = lastStep,
    row: @escaping @Sendable (Direction, LayoutContract) -> Int = lastLayerRow
  ) {
    self.mistake = mistake
    self.applies = applies
    self.half = half
    self.step = step
    self.row = row
  }

  /// PyTorch's own reading.
  static let asDocumented = LayoutReading("", applies: { _ in true })

  /// The known wrong readings. Each differs from PyTorch's in one respect.
  private static let mistakes = [
    LayoutReading(
      "the directions of output are swapped: its first half is the reverse direction's",
      applies: { $0.directions == 2 }, half: { 1 - $0.rawValue }),
    LayoutReading(
      "the directions of h_n are swapped: the last layer's reverse state stands first",
      applies: { $0.directions == 2 },
      row: { direction, contract in 2 * (contract.layers - 1) + 1 - direction.rawValue }),
    LayoutReading(
      "the reverse half of output is not flipped back: it stands in the order in which the "
        + "reverse direction read the sequence",
      applies: { $0.directions == 2 && $0.layout.steps > 1 },
      step: { _, sequence, contract in contract.length(of: sequence) - 1 }),
    LayoutReading(
      "h_n holds the output at step T-1, also where a sequence is shorter: its state is at its "
        + "own last step",
      applies: { contract in
        (contract.lengths ?? []).contains { $0 < contract.layout.steps }
      },
      step: { direction, _, contract in
        direction == .forward ? contract.layout.steps - 1 : 0
      }),
    LayoutReading(
      "the layers of h_n stand in another order: its first row is the last layer's",
      applies: { $0.layers > 1 }, row: { direction, _ in direction.rawValue }),
    LayoutReading(
      "h_n is ordered by direction, then layer; PyTorch's order is by layer, then direction",
      applies: { $0.layers > 1 && $0.directions == 2 },
      row: { direction, contract in (direction.rawValue + 1) * contract.layers - 1 }),
  ]

  private static let lastStep: @Sendable (Direction, Int, LayoutContract) -> Int = {
    direction, sequence, contract in
    direction == .forward ? contract.length(of: sequence) - 1 : 0
  }

  private static let lastLayerRow: @Sendable (Direction, LayoutContract) -> Int = {
    direction, contract in
    contract.directions * (contract.layers - 1) + direction.rawValue
  }

  /// The mistakes that could have been made in tensors of this layout, each with the identities
  /// that hold where it was made.
  package static func mistaken(
    _ contract: LayoutContract
  ) -> [(mistake: String, identities: [LayoutIdentity])] {
    mistakes.filter { $0.applies(contract) }.map { reading in
      let directions = Direction.allCases.prefix(contract.directions)
      return (reading.mistake, directions.map { contract.identity($0, under: reading) })
    }
  }
}
