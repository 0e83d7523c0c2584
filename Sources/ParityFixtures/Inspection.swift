import Platform
package import RecurrentModel
package import TensorArchives
import TensorCore

/// What is in a file or folder of tensors: each tensor with its type, shape and range, and the
/// recurrent modules that they are the parameters of.
///
/// ```swift
/// let inspection = try Inspection("model.safetensors")
/// inspection.modules.map(\.name)  // ["encoder.lstm"]
/// ```
package struct Inspection: Sendable {
  /// One tensor.
  package struct TensorLine: Sendable {
    package let name: String
    /// nil where it can't be read; then `problem` says why.
    package fileprivate(set) var header: TensorHeader?
    package fileprivate(set) var problem: String?
    /// The least and the largest finite number; nil for integers, and where there is none.
    package fileprivate(set) var range: ClosedRange<Double>?
    /// How many numbers are NaN or infinite.
    package fileprivate(set) var nonFinite = 0

    /// The name's parts: `encoder`, `lstm`, `weight_ih_l0`.
    package var parts: [String] {
      name.split(whereSeparator: { "./".contains($0) }).map(String.init)
    }
  }

  package let path: String
  /// In the order of their names, which are the file's own; last, what is known of modules that
  /// PyTorch does not have.
  package let tensors: [TensorLine]
  package let modules: [FoundModule]
  /// The parameters that stand in the file in another form than PyTorch's.
  package let derivedNames: [CheckpointForm: [String]]
  /// What is to be known of modules in such a form, beside their parameters.
  package let remarks: [String]

  /// - Throws: `ArchiveError` where the file can't be opened. A tensor that can't be read is told
  ///   in its line.
  /// - Complexity: O(bytes) in time, and memory for a part of one tensor on each core.
  package init(_ path: String) throws(ArchiveError) {
    let archive = CheckpointArchive(try TensorContainer.open(path, namingFiles: true))
    self.path = path
    tensors =
      archive.wrapped.tensorNames.map { Self.line($0, of: archive.wrapped) }
      + archive.refusedNames.map { Self.line($0, of: archive) }
    derivedNames = archive.derivedNames
    remarks = archive.remarks
    modules = archive.modules
  }

  private static func line(_ name: String, of archive: any TensorArchive) -> TensorLine {
    var line = TensorLine(name: name)
    do throws(ArchiveError) {
      line.header = try archive.header(of: name)
      try line.measure(try archive.source(of: name))
    } catch {
      line.problem = "\(error)"
      line.header = nil
    }
    return line
  }
}

extension Inspection.TensorLine {
  /// How many numbers a core reads at a time.
  private static let blockSize = 1 << 18

  /// Looks at all numbers, on all cores.
  fileprivate mutating func measure(_ source: any TensorSource) throws(ArchiveError) {
    guard source.header.elementType.isFloatingPoint else { return }
    let count = source.header.shape.elementCount
    let size = max(1, Self.blockSize / source.grain) * source.grain
    let blocks = (count + size - 1) / size
    let workers = min(blocks, Machine.cores)
    let parts = concurrentMap(workers) { worker in
      Result { () throws(ArchiveError) in
        let type = source.header.elementType
        let buffer = UnsafeMutableRawBufferPointer.allocate(
          byteCount: min(size, count) * type.byteCount, alignment: 64)
        defer { buffer.deallocate() }
        var found = FiniteRange()
        for block in stride(from: worker, to: blocks, by: workers) {
          let range = block * size..<min(count, (block + 1) * size)
          let bytes = UnsafeMutableRawBufferPointer(
            rebasing: buffer[..<(range.count * type.byteCount)])
          try source.read(range, into: bytes)
          found.add(UnsafeRawBufferPointer(bytes), of: type)
        }
        return found
      }
    }
    var found = FiniteRange()
    for part in parts { found.merge(try part.get()) }
    (range, nonFinite) = (found.range, found.nonFinite)
  }
}
