import Foundation
import TensorCore
import TestSupport
import Testing

@testable import TensorArchives

/// Tensors are read in parts as a comparison reads them: parts of any size are the whole.
@Suite struct BlockTests {
  /// Every sample that can be read, and so every container, order and type.
  private static let files: [String] = {
    let names = (try? FileBytes.names(in: Repository.samples)) ?? []
    return names.filter { Sample.error(Sample.path($0)) == nil }
  }()

  private static func bits(_ tensor: Tensor) -> [UInt8] { tensor.withUnsafeBytes { Array($0) } }

  @Test func samplesOfEveryKindAreFound() {
    #expect(Self.files.count { $0.hasSuffix(".npy") } > 8)
    #expect(Self.files.count { $0.hasSuffix(".npz") } > 3)
    #if HDF5
      #expect(Self.files.count { $0.hasSuffix(".h5") } > 8)
    #endif
  }

  @Test(arguments: files)
  func blocksMakeUpTheTensor(file: String) throws {
    let archive = try Sample.open(file)
    for name in archive.tensorNames {
      let tensor = try archive.tensor(named: name)
      #expect(try archive.header(of: name) == TensorHeader(of: tensor))
      for size in [1, 5, 7, 1 << 20] {
        var (read, next): ([UInt8], Int) = ([], 0)
        try archive.forEachBlock(of: name, elements: size) { offset, block in
          #expect(offset == next && block.elementType == tensor.elementType)
          #expect(block.shape.rank == 1 && block.count > 0)
          next += block.count
          read += Self.bits(block)
        }
        #expect(read == Self.bits(tensor), "\(file), \(name), \(size)")
      }
    }
  }

  @Test(arguments: [[4], [2, 3, 4], [3, 1, 2, 2], [1, 1], []] as [[Int]])
  func boxesMakeUpEveryRange(axes: [Int]) {
    let shape = Shape(axes)
    for start in 0..<shape.elementCount {
      for end in start...shape.elementCount {
        let boxes = RowMajorBox.covering(start..<end, of: shape)
        #expect(boxes.count <= max(1, 2 * shape.rank))
        var offset = start
        for box in boxes {
          #expect(box.offset == offset && box.start == shape.index(at: offset))
          #expect(zip(zip(box.start, box.sizes), axes).allSatisfy { $0.0 + $0.1 <= $1 })
          offset += box.sizes.reduce(1, *)
        }
        #expect(offset == end)
      }
    }
  }

  #if HDF5
    /// A chunk that two blocks share would be unpacked for each.
    @Test func blocksOfChunkedDatasetsAreWholeChunks() throws {
      let archive = try Sample.open("gzip-shuffle.h5")
      // Chunks of (2, 2, 3) in (2, 3, 4), and of 2 in 24.
      #expect(try archive.source(of: "a").grain == 24 && archive.source(of: "n").grain == 2)
      #expect(try Sample.open("contiguous.h5").source(of: "a").grain == 1)
      var offsets: [Int] = []
      try archive.forEachBlock(of: "n", elements: 5) { offset, _ in offsets.append(offset) }
      #expect(offsets == [0, 6, 12, 18])
    }
  #endif

  /// A checksum is of all blocks, in whatever order they were read.
  @Test func aDamagedMemberIsSeenBehindItsLastBlock() throws {
    let folder = try TemporaryFolder()
    var bytes = try bytes(of: Sample.path("stored.npz"))
    bytes[30 + "a.npy".utf8.count + 128] ^= 1
    let archive = try TensorContainer.open(try folder.write(bytes, to: "damaged.npz"))
    var blocks = 0
    let error = #expect(throws: ArchiveError.self) {
      try archive.forEachBlock(of: "a", elements: 5) { _, _ in blocks += 1 }
    }
    #expect(blocks == 5 && error?.member == "a.npy")
    guard case .corrupt("CRC-32", _, _) = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
    let source = try Sample.open("stored.npz").source(of: "a")
    for start in [20, 0, 10] { _ = try source.block(start..<min(start + 10, 24)) }
    try source.verify()
  }

  /// A file that shrank after it was opened is an error and no crash.
  @Test func aFileThatShrinksIsAnError() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/a.npy"
    try TensorContainer.write(
      ["a": Tensor([Float](repeating: 1, count: 1 << 16), shape: [1 << 16])], to: path)
    let source = try TensorContainer.open(path).source(of: "")
    try FileHandle(forWritingTo: URL(filePath: path)).truncate(atOffset: 4096)
    let error = #expect(throws: ArchiveError.self) { try source.block(1 << 15..<1 << 16) }
    guard case .truncated = error?.reason else {
      Issue.record("\(String(describing: error))")
      return
    }
  }
}

extension TensorArchive {
  /// Reads a tensor from its start to its end, at least so many elements at a time, in
  /// whole grains, and verifies it.
  fileprivate func forEachBlock(
    of name: String, elements: Int, _ body: (_ offset: Int, _ block: Tensor) -> Void
  ) throws(ArchiveError) {
    let source = try source(of: name)
    let count = source.header.shape.elementCount
    let size = (elements + source.grain - 1) / source.grain * source.grain
    for start in stride(from: 0, to: count, by: size) {
      body(start, try source.block(start..<min(start + size, count)))
    }
    try source.verify()
  }
}
