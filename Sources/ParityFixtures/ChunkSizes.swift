import RecurrentModel

/// What a manifest says under `chunks`: in how many steps at a time a stream is run, its states
/// handed from each chunk to the next.
package enum ChunkSizes: Sendable, Equatable {
  /// Chunks of this many steps; the last one has what is left.
  case each(Int)
  /// The number of steps of every chunk.
  case all([Int])

  static let key = "chunks"

  /// Reads the key of a manifest.
  ///
  /// - Parameters:
  ///   - module: the case's only module; nil for a chain of modules.
  ///   - isPacked: whether the sequences are packed.
  /// - Returns: nil where the key is missing.
  /// - Throws: `InvalidValue` for what is no positive number or list of such, and where no states
  ///   can be handed over: for a cell, a chain of modules and packed sequences.
  static func read(
    _ object: ManifestObject, of module: RecurrentModule?, isPacked: Bool
  ) throws(InvalidValue) -> ChunkSizes? {
    guard let sizes = try object.chunkSizes(key) else { return nil }
    guard let module else {
      throw InvalidValue(
        key, expected: "none for Sequential", found: "some",
        remedy: "states are handed over in a case of one recurrent module alone")
    }
    guard !module.isCell else {
      let layered = RecurrentModule(module.recurrence, isCell: false)
      throw InvalidValue(
        key, expected: "none for \(module.rawValue), which makes one step", found: "some",
        remedy: "a loop over the cell is a case of \(layered.rawValue) with \"chunks\": 1, "
          + "its parameters named weight_ih_l0 and so on")
    }
    guard !isPacked else {
      throw InvalidValue(
        key, expected: "none beside packed", found: "some",
        remedy: "sequences that end at different steps can't all hand over a state")
    }
    return sizes
  }

  /// The chunks of sequences of so many steps.
  ///
  /// - Throws: `InvalidValue` where the sizes do not sum to `steps`, and where the module reads
  ///   in two directions.
  func chunks(
    of steps: Int, _ configuration: RecurrentConfiguration
  ) throws(InvalidValue) -> Chunks {
    guard !configuration.bidirectional else {
      throw InvalidValue(
        Self.key, expected: "none for a bidirectional module", found: "some",
        remedy: "the reverse direction starts at the end of the sequence, which a chunk does not "
          + "know")
    }
    switch self {
    case .each(let size):
      let (whole, rest) = steps.quotientAndRemainder(dividingBy: size)
      return Chunks(Array(repeating: size, count: whole) + (rest > 0 ? [rest] : []))
    case .all(let sizes):
      // They are positive, so that the sum is too large as soon as a part of it is.
      var sum = 0
      for size in sizes where sum <= steps { sum += min(size, steps + 1) }
      guard sum == steps else {
        throw InvalidValue(
          Self.key, expected: "sizes that sum to \(steps), the steps of inputs/input",
          found: sum > steps ? "more" : "\(sum)")
      }
      return Chunks(sizes)
    }
  }
}
